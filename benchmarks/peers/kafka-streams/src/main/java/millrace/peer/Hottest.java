package millrace.peer;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** The auctions with the most bids; several where they have as many. */
record Hottest(long bids, long[] auctions) {
  static final Serde<Hottest> SERDE =
      Serdes.serdeFrom(
          (topic, hottest) -> hottest == null ? null : hottest.bytes(),
          (topic, bytes) -> bytes == null ? null : of(bytes));

  static Hottest or(Hottest a, Hottest b) {
    if (a.bids != b.bids) return a.bids > b.bids ? a : b;
    long[] both = new long[a.auctions.length + b.auctions.length];
    System.arraycopy(a.auctions, 0, both, 0, a.auctions.length);
    System.arraycopy(b.auctions, 0, both, a.auctions.length, b.auctions.length);
    return new Hottest(a.bids, both);
  }

  byte[] row(long endMs) {
    return Json.object(
        json -> {
          json.writeNumberField("endMs", endMs);
          json.writeObjectFieldStart("hottest");
          json.writeNumberField("most", bids);
          json.writeArrayFieldStart("values");
          for (long auction : auctions) {
            json.writeStartObject();
            json.writeNumberField("key", auction);
            json.writeEndObject();
          }
          json.writeEndArray();
          json.writeEndObject();
        });
  }

  private byte[] bytes() {
    ByteBuffer bytes = ByteBuffer.allocate(8 + 8 * auctions.length).putLong(bids);
    for (long auction : auctions) bytes.putLong(auction);
    return bytes.array();
  }

  private static Hottest of(byte[] from) {
    ByteBuffer bytes = ByteBuffer.wrap(from);
    long bids = bytes.getLong();
    long[] auctions = new long[bytes.remaining() / 8];
    bytes.asLongBuffer().get(auctions);
    return new Hottest(bids, auctions);
  }
}
