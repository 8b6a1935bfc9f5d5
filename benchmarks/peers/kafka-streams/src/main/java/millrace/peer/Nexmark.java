package millrace.peer;

import static org.apache.kafka.common.serialization.Serdes.ByteArray;
import static org.apache.kafka.common.serialization.Serdes.Long;
import static org.apache.kafka.common.serialization.Serdes.String;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.state.Stores;

/** The queries of `topologies/nexmark` by the operators of Kafka Streams; stores are in memory, as `Main` sets them. */
final class Nexmark {
  private static final Duration SIZE = Duration.ofSeconds(10);
  private static final Duration OUT_OF_ORDERNESS_MAX = Duration.ofSeconds(2);
  /** Stream time is that of the furthest record, and one topic may be read far ahead of another: no window may expire. */
  private static final Duration WHOLE_RUN = Duration.ofDays(365);
  private static final double EUROS_A_DOLLAR = 0.908;

  private final StreamsBuilder builder = new StreamsBuilder();
  private final Order order;
  private final AtomicBoolean started;

  Nexmark(Order order, AtomicBoolean started) {
    this.order = order;
    this.started = started;
  }

  Topology topology() {
    switch (order.work()) {
      case "q0" -> bids().to(order.output(), Produced.with(String(), Event.BID));
      case "q1" -> write(bids().mapValues(Nexmark::inEuro));
      case "q2" -> write(bids().filter((key, bid) -> bid.auction() % 123 == 0).mapValues(Nexmark::price));
      case "q3" -> write(localItems());
      case "q5" -> write(hotItems());
      case "q8" -> write(newUsers());
      default -> throw new IllegalArgumentException("no work '" + order.work() + "'");
    }
    return builder.build();
  }

  private static byte[] inEuro(Event.Bid bid) {
    return Json.object(
        json -> {
          json.writeNumberField("auction", bid.auction());
          json.writeNumberField("bidder", bid.bidder());
          json.writeNumberField("price", bid.price() * EUROS_A_DOLLAR);
          json.writeNumberField("dateTime", bid.dateTime());
        });
  }

  private static byte[] price(Event.Bid bid) {
    return Json.object(
        json -> {
          json.writeNumberField("auction", bid.auction());
          json.writeNumberField("price", bid.price());
        });
  }

  private KStream<String, byte[]> localItems() {
    builder.addStateStore(
        Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(LocalItems.SELLERS), String(), Event.PERSON));
    builder.addStateStore(
        Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(LocalItems.WAITING), String(), String()));
    KStream<String, Event> auctions =
        auctions()
            .filter((key, auction) -> auction.category() == 10)
            .selectKey((key, auction) -> Long.toString(auction.seller()))
            .repartition(Repartitioned.with(String(), Event.AUCTION).withName("by-seller"))
            .mapValues(auction -> auction);
    return persons()
        .<Event>mapValues(person -> person)
        .merge(auctions)
        .process(LocalItems::new, LocalItems.SELLERS, LocalItems.WAITING);
  }

  private KStream<String, byte[]> hotItems() {
    return bids()
        .groupByKey(Grouped.with(String(), Event.BID))
        .windowedBy(TimeWindows.ofSizeAndGrace(SIZE, OUT_OF_ORDERNESS_MAX).advanceBy(Duration.ofSeconds(2)))
        .count(Materialized.with(String(), Long()))
        .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()))
        .toStream()
        .map(
            (auction, count) ->
                KeyValue.pair(
                    auction.window().end(), new Hottest(count, new long[] {Long.parseLong(auction.key())})))
        .groupByKey(Grouped.with("by-window", Long(), Hottest.SERDE))
        .reduce(Hottest::or, Materialized.with(Long(), Hottest.SERDE))
        .toStream()
        .map((endMs, hottest) -> KeyValue.pair(endMs.toString(), hottest.row(endMs)));
  }

  private KStream<String, byte[]> newUsers() {
    TimeWindows windows = TimeWindows.ofSizeAndGrace(SIZE, WHOLE_RUN);
    KTable<Windowed<String>, String> registered =
        persons()
            .mapValues(Event.Person::name)
            .groupByKey(Grouped.with(String(), String()))
            .windowedBy(windows)
            .reduce((first, next) -> first, Materialized.with(String(), String()));
    KTable<Windowed<String>, Long> selling =
        auctions()
            .groupBy(
                (key, auction) -> Long.toString(auction.seller()),
                Grouped.with("by-seller", String(), Event.AUCTION))
            .windowedBy(windows)
            .count(Materialized.with(String(), Long()));
    return registered
        .join(selling, (name, auctions) -> name)
        .toStream()
        .map((person, name) -> KeyValue.pair(person.key(), newUser(person, name)));
  }

  private static byte[] newUser(Windowed<String> person, String name) {
    return Json.object(
        json -> {
          json.writeNumberField("id", Long.parseLong(person.key()));
          json.writeStringField("name", name);
          json.writeNumberField("startMs", person.window().start());
        });
  }

  private KStream<String, Event.Person> persons() {
    return read("nexmark.person.v1", Event.PERSON);
  }

  private KStream<String, Event.Auction> auctions() {
    return read("nexmark.auction.v1", Event.AUCTION);
  }

  private KStream<String, Event.Bid> bids() {
    return read("nexmark.bid.v1", Event.BID);
  }

  private <T extends Event> KStream<String, T> read(String topic, Serde<T> events) {
    return builder.stream(
            topic,
            Consumed.with(String(), events)
                .withTimestampExtractor((record, latestMs) -> ((Event) record.value()).dateTime()))
        .processValues(() -> new Watch<>(order, started));
  }

  private void write(KStream<String, byte[]> rows) {
    rows.to(order.output(), Produced.with(String(), ByteArray()));
  }
}
