package millrace.peer;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;

/** One flight, read from JSON and written as a prediction. */
final class Flight {
  long flightId;
  long departedAt;
  String origin;
  String destination;
  String carrier;
  int distance;
  int delayMinutes;

  static Flight parse(byte[] bytes) {
    Flight flight = new Flight();
    try (JsonParser parser = Json.FACTORY.createParser(bytes)) {
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
    return Json.object(
        json -> {
          json.writeNumberField("flightId", flightId);
          json.writeStringField("origin", origin);
          json.writeStringField("destination", destination);
          json.writeNumberField("departedAt", departedAt);
          json.writeNumberField("late", late);
          json.writeNumberField("risk", (double) risk);
        });
  }
}
