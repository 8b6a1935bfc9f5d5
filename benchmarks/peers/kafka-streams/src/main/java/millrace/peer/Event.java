package millrace.peer;

import org.apache.kafka.common.serialization.Serde;

/** An event of Nexmark; `schemas/nexmark` has the fields. */
sealed interface Event extends Avro.Written {
  long dateTime();

  Serde<Person> PERSON =
      Avro.serde(
          (schemaId, in) ->
              new Person(
                  schemaId,
                  in.readLong(),
                  in.readString(),
                  in.readString(),
                  in.readString(),
                  in.readString(),
                  in.readString(),
                  in.readLong()),
          (person, out) -> {
            out.writeLong(person.id);
            out.writeString(person.name);
            out.writeString(person.emailAddress);
            out.writeString(person.creditCard);
            out.writeString(person.city);
            out.writeString(person.state);
            out.writeLong(person.dateTime);
          });

  Serde<Auction> AUCTION =
      Avro.serde(
          (schemaId, in) ->
              new Auction(
                  schemaId,
                  in.readLong(),
                  in.readString(),
                  in.readLong(),
                  in.readLong(),
                  in.readLong(),
                  in.readLong(),
                  in.readLong(),
                  in.readLong()),
          (auction, out) -> {
            out.writeLong(auction.id);
            out.writeString(auction.itemName);
            out.writeLong(auction.initialBid);
            out.writeLong(auction.reserve);
            out.writeLong(auction.dateTime);
            out.writeLong(auction.expires);
            out.writeLong(auction.seller);
            out.writeLong(auction.category);
          });

  Serde<Bid> BID =
      Avro.serde(
          (schemaId, in) ->
              new Bid(
                  schemaId,
                  in.readLong(),
                  in.readLong(),
                  in.readLong(),
                  in.readString(),
                  in.readString(),
                  in.readLong()),
          (bid, out) -> {
            out.writeLong(bid.auction);
            out.writeLong(bid.bidder);
            out.writeLong(bid.price);
            out.writeString(bid.channel);
            out.writeString(bid.url);
            out.writeLong(bid.dateTime);
          });

  record Person(
      int schemaId,
      long id,
      String name,
      String emailAddress,
      String creditCard,
      String city,
      String state,
      long dateTime)
      implements Event {

    /** Without what no row of q3 has. */
    Person asSeller() {
      return new Person(schemaId, id, name, "", "", city, state, 0);
    }
  }

  record Auction(
      int schemaId,
      long id,
      String itemName,
      long initialBid,
      long reserve,
      long dateTime,
      long expires,
      long seller,
      long category)
      implements Event {}

  record Bid(int schemaId, long auction, long bidder, long price, String channel, String url, long dateTime)
      implements Event {}
}
