package millrace.peer;

import java.util.Set;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Joins auctions with their sellers in three states, whichever came first: a table would not be asked again for an auction that came
 * before its seller. Keys are sellers.
 */
final class LocalItems implements Processor<String, Event, String, byte[]> {
  static final String SELLERS = "sellers";
  /** The auctions of sellers who have not come yet: ids with a space between them. */
  static final String WAITING = "waiting";

  private static final Set<String> LOCAL = Set.of("OR", "ID", "CA");

  private ProcessorContext<String, byte[]> context;
  private KeyValueStore<String, Event.Person> sellers;
  private KeyValueStore<String, String> waiting;

  @Override
  public void init(ProcessorContext<String, byte[]> context) {
    this.context = context;
    sellers = context.getStateStore(SELLERS);
    waiting = context.getStateStore(WAITING);
  }

  @Override
  public void process(Record<String, Event> record) {
    String seller = record.key();
    if (record.value() instanceof Event.Person person) {
      sellers.put(seller, person.asSeller());
      String ids = waiting.delete(seller);
      if (ids == null) return;
      for (String id : ids.split(" ")) join(record, person, Long.parseLong(id));
    } else if (record.value() instanceof Event.Auction auction) {
      Event.Person person = sellers.get(seller);
      if (person != null) join(record, person, auction.id());
      else {
        String ids = waiting.get(seller);
        waiting.put(seller, ids == null ? Long.toString(auction.id()) : ids + " " + auction.id());
      }
    }
  }

  private void join(Record<String, Event> record, Event.Person person, long auction) {
    if (!LOCAL.contains(person.state())) return;
    byte[] row =
        Json.object(
            json -> {
              json.writeStringField("name", person.name());
              json.writeStringField("city", person.city());
              json.writeStringField("state", person.state());
              json.writeNumberField("id", auction);
            });
    context.forward(record.withValue(row));
  }
}
