package millrace.peer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;

/** One flight, read from JSON and written as a prediction by Jackson's streaming API, its fastest. */
final class Flight {
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER).build();

  long flightId;
  long departedAt;
  String origin;
  String destination;
  String carrier;
  int distance;
  int delayMinutes;

  static Flight parse(byte[] bytes) {
    Flight flight = new Flight();
    try (JsonParser parser = JSON.createParser(bytes)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        switch (name) {
          case "flightId" -> flight.flightId = parser.getLongValue();
          case "departedAt" -> flight.departedAt = parser.getLongValue();
          case "origin" -> flight.origin = parser.getText();
          case "destination" -> flight.destination = parser.getText();
          case "carrier" -> flight.carrier = parser.getText();
          case "distance" -> flight.distance = parser.getIntValue();
          case "delayMinutes" -> flight.delayMinutes = parser.getIntValue();
          default -> parser.skipChildren();
        }
      }
      return flight;
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  byte[] prediction(double late, float risk) {
    try (ByteArrayBuilder out = new ByteArrayBuilder(192)) {
      try (JsonGenerator json = JSON.createGenerator(out)) {
        json.writeStartObject();
        json.writeNumberField("flightId", flightId);
        json.writeStringField("origin", origin);
        json.writeStringField("destination", destination);
        json.writeNumberField("departedAt", departedAt);
        json.writeNumberField("late", late);
        json.writeNumberField("risk", (double) risk);
        json.writeEndObject();
      }
      return out.toByteArray();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
