package millrace.peer;

import static org.apache.kafka.common.serialization.Serdes.ByteArray;
import static org.apache.kafka.common.serialization.Serdes.Integer;
import static org.apache.kafka.common.serialization.Serdes.Long;
import static org.apache.kafka.common.serialization.Serdes.String;

import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The topology of each piece of work on flights, or of a query of Nexmark. Stores are logged, in memory, and cached where the same keys change often. */
final class Works {
  private Works() {}

  static Topology topology(Order order) {
    AtomicBoolean started = new AtomicBoolean();
    switch (order.work()) {
      case "pass-through":
        return around(order, ByteArray(), ByteArray(), () -> new PassThrough(order, started));
      case "count":
        return around(order, String(), Long(), () -> new Count(order, started))
            .addStateStore(keyed(Count.STORE, String(), Long()), "work");
      case "flights":
        Risk risk = new Risk(order.model());
        StoreBuilder<?> seen =
            Stores.windowStoreBuilder(
                Stores.inMemoryWindowStore(Dedupe.STORE, Dedupe.RETENTION, Dedupe.WINDOW, false), Long(), ByteArray());
        return around(order, ByteArray(), ByteArray(), () -> new Flights(order, risk, started))
            .addStateStore(seen, "work")
            .addStateStore(keyed(Learner.STORE, Integer(), ByteArray()), "work")
            .addStateStore(keyed(Waiting.STORE, Integer(), ByteArray()), "work");
      default:
        return new Nexmark(order, started).topology();
    }
  }

  private static <K, V> Topology around(
      Order order, Serde<K> key, Serde<V> out, ProcessorSupplier<K, byte[], K, V> work) {
    return new Topology()
        .addSource("in", key.deserializer(), ByteArray().deserializer(), order.inputs()[0].topic())
        .addProcessor("work", work, "in")
        .addSink("out", order.output(), key.serializer(), out.serializer(), "work");
  }

  private static <K, V> StoreBuilder<?> keyed(String name, Serde<K> key, Serde<V> value) {
    return Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), key, value).withCachingEnabled();
  }
}
