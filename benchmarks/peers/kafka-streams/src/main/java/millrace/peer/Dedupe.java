package millrace.peer;

import java.time.Duration;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Remembers ids for at least a day, in a logged window store: one window of 12 hours takes the ids of its time, and those of
 * today and of the day before are asked.
 */
final class Dedupe {
  static final String STORE = "seen";
  static final Duration WINDOW = Duration.ofHours(12);
  static final Duration RETENTION = WINDOW.multipliedBy(3);

  private static final byte[] SEEN = {1};

  private final WindowStore<Long, byte[]> store;
  private long streamTimeMs;

  Dedupe(WindowStore<Long, byte[]> store) {
    this.store = store;
  }

  boolean isNew(long id, long timeMs) {
    streamTimeMs = Math.max(streamTimeMs, timeMs);
    long windowMs = WINDOW.toMillis();
    long startMs = streamTimeMs - streamTimeMs % windowMs;
    for (long ms = startMs; ms >= startMs - 2 * windowMs && ms >= 0; ms -= windowMs) {
      if (store.fetch(id, ms) != null) return false;
    }
    store.put(id, SEEN, startMs);
    return true;
  }
}
