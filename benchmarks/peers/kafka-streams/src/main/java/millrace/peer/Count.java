package millrace.peer;

import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Counts the records of each key in a logged store and passes every new count on. */
final class Count implements Processor<String, byte[], String, Long> {
  static final String STORE = "counts";

  private final Order order;
  private final AtomicBoolean started;
  private ProcessorContext<String, Long> context;
  private KeyValueStore<String, Long> counts;
  private Progress progress;

  Count(Order order, AtomicBoolean started) {
    this.order = order;
    this.started = started;
  }

  @Override
  public void init(ProcessorContext<String, Long> context) {
    this.context = context;
    counts = context.getStateStore(STORE);
    progress = new Progress(context, order, started);
  }

  @Override
  public void process(Record<String, byte[]> record) {
    progress.begin();
    Long before = counts.get(record.key());
    long count = before == null ? 1 : before + 1;
    counts.put(record.key(), count);
    context.forward(record.withValue(count));
    if (progress.isLast()) progress.commit();
  }
}
