package millrace.peer;

import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/** Passes records of an input on and tells its progress. Keys stay, so that Kafka Streams does not repartition behind it. */
final class Watch<V> implements FixedKeyProcessor<String, V, V> {
  private final Order order;
  private final AtomicBoolean started;
  private FixedKeyProcessorContext<String, V> context;
  private Progress progress;

  Watch(Order order, AtomicBoolean started) {
    this.order = order;
    this.started = started;
  }

  @Override
  public void init(FixedKeyProcessorContext<String, V> context) {
    this.context = context;
    progress = new Progress(context, order, started);
  }

  @Override
  public void process(FixedKeyRecord<String, V> record) {
    progress.begin();
    context.forward(record);
    if (progress.isLast()) progress.commit();
  }
}
