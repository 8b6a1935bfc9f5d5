import { describe } from 'vitest';
import * as file from './file.js';
import { testKinds } from './kinds.js';

// The fault list where nothing but a disk is between. In a process of its own, since what is done to the disk is done to all of it.

describe('file', () => testKinds('file', file));
