package millrace.peer;

import java.nio.ByteBuffer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * The records of a batch that is not full yet. A commit may fall before it is: so they are in a logged store, in as many
 * slots as a batch has rows, each with the number of its batch.
 */
final class Waiting {
  static final String STORE = "waiting";

  private static final int DONE = -1;
  private static final int HEAD_BYTES = 24;

  interface Row {
    void restored(byte[] value, double late, long timeMs);
  }

  private final KeyValueStore<Integer, byte[]> store;
  private long batch;

  Waiting(KeyValueStore<Integer, byte[]> store) {
    this.store = store;
  }

  /** Hands out the rows of the batch that was not done. */
  void restore(Row row) {
    byte[] done = store.get(DONE);
    batch = done == null ? 0 : ByteBuffer.wrap(done).getLong();
    try (KeyValueIterator<Integer, byte[]> slots = store.range(0, Risk.BATCH)) {
      while (slots.hasNext()) {
        KeyValue<Integer, byte[]> slot = slots.next();
        ByteBuffer bytes = ByteBuffer.wrap(slot.value);
        if (bytes.getLong() != batch) continue;
        double late = bytes.getDouble();
        long timeMs = bytes.getLong();
        byte[] value = new byte[bytes.remaining()];
        bytes.get(value);
        row.restored(value, late, timeMs);
      }
    }
  }

  void add(int slot, byte[] value, double late, long timeMs) {
    byte[] bytes = new byte[HEAD_BYTES + value.length];
    ByteBuffer.wrap(bytes).putLong(batch).putDouble(late).putLong(timeMs).put(value);
    store.put(slot, bytes);
  }

  void done() {
    batch += 1;
    store.put(DONE, ByteBuffer.allocate(8).putLong(batch).array());
  }
}
