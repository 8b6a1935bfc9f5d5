import { expect, it } from 'vitest';
import { load } from '../../../scripts/data/data-set.js';
import { ratings as data } from '../../../scripts/data/ratings.js';
import { type FilmRating, ratings } from '../../../topologies/ratings.js';
import { tablesOf } from './run.js';
import { type Pair, rootMeanSquaredError } from './scores.js';

type Guess = Readonly<Record<'id' | 'stars' | 'ofFilm' | 'ofUser' | 'mean', number>>;

it('stars are guessed better than by the means of film and user, alone and together', async () => {
  const streams = await load(data);
  const stars = new Map((streams.ratings as FilmRating[]).map(({ id, stars }) => [id, stars]));
  const { history = [] } = await tablesOf(ratings, streams);
  const guesses = history as Guess[];
  expect(guesses).toHaveLength(100_000);
  const pairs = (of: (row: Guess) => number) => guesses.map((row): Pair<number> => [of(row), stars.get(row.id) ?? 0]);
  const model = rootMeanSquaredError(pairs((row) => row.stars));
  const rules = {
    film: rootMeanSquaredError(pairs((row) => row.ofFilm)),
    user: rootMeanSquaredError(pairs((row) => row.ofUser)),
    mean: rootMeanSquaredError(pairs((row) => row.mean)),
    // What makes a film better than most, and a user kinder than most.
    together: rootMeanSquaredError(pairs((row) => row.ofFilm + row.ofUser - row.mean)),
  };
  console.log('root mean squared error of model and means:', model, rules);
  expect(model).toBeLessThan(0.94 * Math.min(rules.film, rules.user, rules.mean));
  expect(model).toBeLessThan(0.98 * rules.together);
});
