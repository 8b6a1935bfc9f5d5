package millrace.peer;

import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/** Passes keys and values on as they are. */
final class PassThrough implements Processor<byte[], byte[], byte[], byte[]> {
  private final Order order;
  private final AtomicBoolean started;
  private ProcessorContext<byte[], byte[]> context;
  private Progress progress;

  PassThrough(Order order, AtomicBoolean started) {
    this.order = order;
    this.started = started;
  }

  @Override
  public void init(ProcessorContext<byte[], byte[]> context) {
    this.context = context;
    progress = new Progress(context, order, started);
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    progress.begin();
    context.forward(record);
    if (progress.isLast()) progress.commit();
  }
}
