package millrace.peer;

import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** Counts the records of a partition: says when the first one is in hand, and asks for a commit after the last. */
final class Progress {
  private final ProcessingContext context;
  private final Order order;
  private final AtomicBoolean started;
  private long size;
  private long seen;

  Progress(ProcessingContext context, Order order, AtomicBoolean started) {
    this.context = context;
    this.order = order;
    this.started = started;
  }

  void begin() {
    if (seen > 0) return;
    RecordMetadata first = context.recordMetadata().orElseThrow();
    size = order.size(first.topic(), first.partition());
    if (started.compareAndSet(false, true)) Main.say("started");
  }

  /** Whether that was the last record of the partition. */
  boolean isLast() {
    seen += 1;
    return seen == size;
  }

  void commit() {
    context.commit();
  }
}
