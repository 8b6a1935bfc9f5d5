package millrace.peer;

import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.streams.processor.api.ProcessorContext;

/** Counts the records of a task: says when the first one is in hand, and asks for a commit after the last. */
final class Progress {
  private final ProcessorContext<?, ?> context;
  private final AtomicBoolean started;
  private final long size;
  private long seen;

  Progress(ProcessorContext<?, ?> context, Order order, AtomicBoolean started) {
    this.context = context;
    this.started = started;
    this.size = order.sizes()[context.taskId().partition()];
  }

  void begin() {
    if (seen == 0 && started.compareAndSet(false, true)) Main.say("started");
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
