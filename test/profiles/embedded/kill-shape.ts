/** Values that the killed task writes in an epoch. */
export const perEpoch = 1_300;
