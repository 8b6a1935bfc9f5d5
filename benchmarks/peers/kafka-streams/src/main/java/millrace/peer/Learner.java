package millrace.peer;

import java.nio.ByteBuffer;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Logistic regression with FTRL-Proximal, over working copies of the state. Every change is put into a logged store; its
 * record cache makes one record of the changes of a coordinate within a commit interval. The intercept and the dense
 * coordinates, which change with every record, lie in one entry.
 */
final class Learner {
  static final String STORE = "weights";

  private static final int DENSE_ENTRY = -1;
  private static final int FIRST_HASHED = 1 + Features.DENSE;
  private static final double INVERSE = 1 / 0.2;
  private static final double STIFFNESS = INVERSE;

  private final KeyValueStore<Integer, byte[]> store;
  private final double[] z = new double[FIRST_HASHED + Features.HASHED_SIZE];
  private final double[] n = new double[z.length];
  private final double[] weights = new double[z.length];

  Learner(KeyValueStore<Integer, byte[]> store) {
    this.store = store;
    try (KeyValueIterator<Integer, byte[]> entries = store.all()) {
      while (entries.hasNext()) restore(entries.next());
    }
  }

  /** The probability before it has learnt this record. */
  double predictThenLearn(Features features, boolean label) {
    double logit = weights[0];
    for (int i = 0; i < Features.DENSE; i++) logit += weights[1 + i] * features.dense[i];
    for (int index : features.indices) logit += weights[FIRST_HASHED + index];
    double probability = 1 / (1 + Math.exp(-logit));
    double slope = probability - (label ? 1 : 0);
    update(0, slope);
    for (int i = 0; i < Features.DENSE; i++) update(1 + i, slope * features.dense[i]);
    store.put(DENSE_ENTRY, entry(0, FIRST_HASHED));
    for (int index : features.indices) {
      update(FIRST_HASHED + index, slope);
      store.put(index, entry(FIRST_HASHED + index, 1));
    }
    return probability;
  }

  private void update(int at, double gradient) {
    double before = n[at];
    double after = before + gradient * gradient;
    double root = Math.sqrt(after);
    z[at] += gradient - (root - Math.sqrt(before)) * INVERSE * weights[at];
    n[at] = after;
    weights[at] = weight(z[at], root);
  }

  private static double weight(double z, double root) {
    return z == 0 ? 0 : -z / (STIFFNESS + root * INVERSE);
  }

  private byte[] entry(int from, int count) {
    ByteBuffer bytes = ByteBuffer.allocate(16 * count);
    for (int at = from; at < from + count; at++) bytes.putDouble(z[at]).putDouble(n[at]);
    return bytes.array();
  }

  private void restore(KeyValue<Integer, byte[]> entry) {
    ByteBuffer bytes = ByteBuffer.wrap(entry.value);
    int at = entry.key == DENSE_ENTRY ? 0 : FIRST_HASHED + entry.key;
    for (; bytes.hasRemaining(); at++) {
      z[at] = bytes.getDouble();
      n[at] = bytes.getDouble();
      weights[at] = weight(z[at], Math.sqrt(n[at]));
    }
  }
}
