import type { Operator } from 'millrace';
import { mapCell } from 'millrace/ml';
import { stateful } from 'millrace/operator';
import type { Balance } from '../schemas/balance.v1.js';
import type { Leg } from '../schemas/leg.v1.js';

const cells = { balances: mapCell<string, number>() };

/** Adds every leg to the balance of its account. State: one number an account, for ever. */
export const keepBalance = (): Operator<Leg, Balance> =>
  stateful<Leg, Balance, typeof cells>({
    kind: 'keepBalance',
    cells,
    open: ({ balances }) => ({
      onRecord(_input, { account, amountCents, transferId, bookedAt }, emit) {
        const balanceCents = (balances.get(account) ?? 0) + amountCents;
        balances.set(account, balanceCents);
        emit({ account, balanceCents, transferId, amountCents, bookedAt });
      },
    }),
  });
