package millrace.peer;

import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** The flight work: JSON in, dedupe, features, predict, learn, ONNX in batches, JSON out. All state is logged. */
final class Flights implements Processor<byte[], byte[], byte[], byte[]> {
  private static final int LATE_MINUTES = 15;
  private static final Duration WAIT_MAX = Duration.ofMillis(50);

  private final Order order;
  private final Risk risk;
  private final AtomicBoolean started;
  private final Features features = new Features();
  private final FloatBuffer rows = Risk.rows();
  private final Flight[] flights = new Flight[Risk.BATCH];
  private final double[] late = new double[Risk.BATCH];
  private final long[] timesMs = new long[Risk.BATCH];
  private ProcessorContext<byte[], byte[]> context;
  private Dedupe dedupe;
  private Learner learner;
  private Waiting waiting;
  private Progress progress;
  private int count;
  private long oldestMs;

  Flights(Order order, Risk risk, AtomicBoolean started) {
    this.order = order;
    this.risk = risk;
    this.started = started;
  }

  @Override
  public void init(ProcessorContext<byte[], byte[]> context) {
    this.context = context;
    progress = new Progress(context, order, started);
    dedupe = new Dedupe(context.getStateStore(Dedupe.STORE));
    learner = new Learner(context.getStateStore(Learner.STORE));
    waiting = new Waiting(context.getStateStore(Waiting.STORE));
    waiting.restore(
        (value, probability, timeMs) -> {
          Flight flight = Flight.parse(value);
          features.of(flight);
          addRow(flight, probability, timeMs);
        });
    context.schedule(WAIT_MAX, PunctuationType.WALL_CLOCK_TIME, this::flushOld);
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    progress.begin();
    Flight flight = Flight.parse(record.value());
    if (dedupe.isNew(flight.flightId, record.timestamp())) {
      features.of(flight);
      double probability = learner.predictThenLearn(features, flight.delayMinutes >= LATE_MINUTES);
      waiting.add(count, record.value(), probability, record.timestamp());
      addRow(flight, probability, record.timestamp());
      if (count == Risk.BATCH) flush();
    }
    if (progress.isLast()) {
      flush();
      progress.commit();
    }
  }

  private void addRow(Flight flight, double probability, long timeMs) {
    if (count == 0) oldestMs = System.currentTimeMillis();
    flights[count] = flight;
    late[count] = probability;
    timesMs[count] = timeMs;
    rows.put(count * Features.DENSE, features.dense);
    count += 1;
  }

  private void flushOld(long nowMs) {
    if (count > 0 && nowMs - oldestMs >= WAIT_MAX.toMillis()) flush();
  }

  private void flush() {
    if (count == 0) return;
    FloatBuffer scores = risk.score(rows, count);
    for (int row = 0; row < count; row++) {
      Flight flight = flights[row];
      byte[] key = flight.origin.getBytes(StandardCharsets.UTF_8);
      byte[] value = flight.prediction(late[row], scores.get(2 * row + 1));
      context.forward(new Record<>(key, value, timesMs[row]));
    }
    count = 0;
    waiting.done();
  }
}
