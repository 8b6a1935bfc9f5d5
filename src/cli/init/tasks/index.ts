import type { Imports } from '../code.js';
import type { Plan, Task } from '../plan.js';
import { countText } from './count.js';
import { learnText } from './learn.js';
import { routeText } from './route.js';
import { scoreText } from './score.js';
import type { TaskText } from './task-text.js';

const taskTexts: Readonly<Record<Task, (plan: Plan, imports: Imports) => TaskText>> = {
  route: routeText,
  learn: learnText,
  score: scoreText,
  count: countText,
};

export const taskText = (plan: Plan, imports: Imports): TaskText => taskTexts[plan.task](plan, imports);
