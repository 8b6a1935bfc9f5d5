import { createHash } from 'node:crypto';
import { MillraceError } from '../../../src/core/errors.js';
import { type Engine, parseRows } from '../engine/engine.js';
import { quoted, quotedText } from './layout.js';
import type { TableView } from './options.js';

/**
 * Creates the views of a sink, again if their declaration has changed.
 *
 * A view with a stored result recomputes all of it, from the rows that the table shows (`REFRESH EVERY`): a materialized view that
 * is fed by inserts would count a repeated row twice. Databases that cannot exchange tables atomically (such as that of the engine
 * inside a process) compute the result at each read; it is the same, and newer.
 *
 * @throws MillraceError `config` if something else has the name.
 */
export async function setUpViews(engine: Engine, views: readonly TableView[]): Promise<void> {
  if (views.length === 0) return;
  const refreshes = await canRefresh(engine);
  for (const view of views) await setUpView(engine, view, refreshes);
}

async function setUpView(engine: Engine, view: TableView, refreshes: boolean): Promise<void> {
  const { name, as } = view;
  const [there] = parseRows<{ engine: string; comment: string }>(
    await engine.query(
      'SELECT engine, comment FROM system.tables WHERE database = currentDatabase() AND name = {name:String}',
      { name },
    ),
  );
  const mark = markOf(view, refreshes);
  if (there?.comment === mark) return;
  if (there && !there.comment.startsWith(MARK)) {
    throw new MillraceError('config', `${name} already exists, as ${there.engine}`, {
      where: name,
      hint: 'it was not created by Millrace: give the view another name',
    });
  }
  if (there) await engine.command(`DROP TABLE IF EXISTS ${quoted(name)} SYNC`);
  const comment = `COMMENT ${quotedText(mark)}`;
  if (view.every === undefined || !refreshes) {
    await engine.command(`CREATE VIEW IF NOT EXISTS ${quoted(name)} AS ${as} ${comment}`);
    return;
  }
  const key = view.orderBy.length === 0 ? 'tuple()' : `(${view.orderBy.map(quoted).join(', ')})`;
  await engine.command(
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${quoted(name)} REFRESH EVERY ${Math.ceil(view.every / 1_000)} SECOND
     ENGINE = MergeTree ORDER BY ${key} AS ${as} ${comment}`,
  );
}

const MARK = 'millrace view ';

/** The declaration that a view was made from; a view with another one is replaced. */
const markOf = ({ as, every, orderBy }: TableView, refreshes: boolean): string =>
  MARK +
  createHash('sha256')
    .update(JSON.stringify([as, refreshes ? every : undefined, refreshes ? orderBy : []]))
    .digest('base64url')
    .slice(0, 16);

async function canRefresh(engine: Engine): Promise<boolean> {
  const [database] = parseRows<{ engine: string }>(
    await engine.query('SELECT engine FROM system.databases WHERE name = currentDatabase()', {}),
  );
  return /^(Atomic|Replicated|Shared)$/.test(database?.engine ?? '');
}
