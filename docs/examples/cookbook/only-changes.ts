import { topology } from 'millrace';
import { mapCell, stateful } from 'millrace/operator';
import { deadLetters, out, topic } from '../io.js';

interface State {
  readonly at: number;
  readonly device: string;
  readonly on: boolean;
}

const cells = { known: mapCell<string, boolean>({ entriesMax: 10_000 }) };
const onlyChanges = () =>
  stateful<State, State, typeof cells>({
    kind: 'only-changes',
    cells,
    open: ({ known }) => ({
      onRecord(_input, state, emit) {
        if (known.get(state.device) === state.on) return;
        known.set(state.device, state.on);
        emit(state);
      },
    }),
  });

/** The states that differ from the one before, by device; the cell is in the checkpoint. */
export const example = topology('only-changes', { deadLetters }, (t) => {
  t.source('states', topic<State>('states')).via('changes', onlyChanges()).to('out', out());
});

export const records = { states: [true, true, false, false, true].map((on, at) => ({ at, device: 'lamp', on })) };

/* out
out  {"at": 0, "device": "lamp", "on": true}
out  {"at": 2, "device": "lamp", "on": false}
out  {"at": 4, "device": "lamp", "on": true}
*/
