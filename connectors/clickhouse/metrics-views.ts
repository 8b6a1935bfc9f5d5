/**
 * Questions to a table of metrics that come up with every topology, as views: their names, and what they select. Counters are sums
 * since the first run, so the newest of each task counts. Means over tasks are not weighted.
 *
 * @example
 * metricsViews('metrics').metrics_dead_letters; // SELECT topology, step, replaceOne(...) AS reason, ...
 */
export function metricsViews(table: string): Readonly<Record<string, string>> {
  const counters = `
FROM (
  SELECT topology, step, name, task, argMax(value, eventTime) AS newest
  FROM ${table}
  WHERE name LIKE 'counter:%'
  GROUP BY topology, step, name, task
)`;
  return {
    [`${table}_by_day`]: `
SELECT topology, step, name, slice, toDate(eventTime) AS day, avg(value) AS mean, min(value) AS least, max(value) AS most,
       count() AS measurements
FROM ${table}
WHERE name NOT LIKE 'counter:%'
GROUP BY topology, step, name, slice, day
ORDER BY topology, step, name, slice, day`,
    [`${table}_counters`]: `
SELECT topology, step, replaceOne(name, 'counter:', '') AS counter, toUInt64(sum(newest)) AS total${counters}
GROUP BY topology, step, counter
ORDER BY topology, step, counter`,
    [`${table}_dead_letters`]: `
SELECT topology, step, replaceOne(name, 'counter:dead:', '') AS reason, toUInt64(sum(newest)) AS deadLetters${counters}
WHERE name LIKE 'counter:dead:%'
GROUP BY topology, step, reason
ORDER BY deadLetters DESC`,
    [`${table}_flow`]: `
SELECT topology, step,
       toUInt64(sumIf(newest, name IN ('counter:read', 'counter:in'))) AS recordsIn,
       toUInt64(sumOrNullIf(newest, name IN ('counter:out', 'counter:written'))) AS recordsOut,
       toUInt64(sumIf(newest, name LIKE 'counter:dead:%')) AS deadLetters${counters}
GROUP BY topology, step
HAVING recordsIn > 0 OR recordsOut > 0
ORDER BY topology, recordsIn DESC, step`,
  };
}
