package millrace.peer;

/** The features of `benchmarks/peers/flights.ts`: the same places, the same hashes. */
final class Features {
  static final int DENSE = 11;
  static final int HASHED = 7;
  static final int HASHED_SIZE = 1 << 15;

  private static final long MINUTE_MS = 60_000;
  private static final float[] HOURS = circle(24);
  private static final float[] HALF_HOURS = circle(48);
  private static final float[] MINUTES = circle(60);
  private static final float[] WEEKDAYS = circle(7);
  private static final float[] YEAR = circle(365);

  private static final int ORIGIN = hash("originIs");
  private static final int DESTINATION = hash("destinationIs");
  private static final int CARRIER = hash("carrierIs");
  private static final int ROUTE = hash("route");
  private static final int ORIGIN_AT_HOUR = hash("originAtHour");
  private static final int DESTINATION_AT_HOUR = hash("destinationAtHour");
  private static final int CARRIER_AT_ORIGIN = hash("carrierAtOrigin");

  final float[] dense = new float[DENSE];
  final int[] indices = new int[HASHED];

  void of(Flight flight) {
    int minutes = (int) (flight.departedAt / MINUTE_MS);
    int hour = minutes / 60 % 24;
    int day = minutes / 1_440;
    dense[0] = (float) ((flight.distance - 700) / 600.0);
    place(HOURS, hour, 1);
    place(HALF_HOURS, minutes / 30 % 48, 3);
    place(MINUTES, minutes % 60, 5);
    place(WEEKDAYS, (day + 4) % 7, 7);
    place(YEAR, day % 365, 9);

    int origin = hash(flight.origin);
    int destination = hash(flight.destination);
    int carrier = hash(flight.carrier);
    int hourHash = hash(hour);
    indices[0] = finish(combine(ORIGIN, origin));
    indices[1] = finish(combine(DESTINATION, destination));
    indices[2] = finish(combine(CARRIER, carrier));
    indices[3] = finish(combine(combine(ROUTE, origin), destination));
    indices[4] = finish(combine(combine(ORIGIN_AT_HOUR, origin), hourHash));
    indices[5] = finish(combine(combine(DESTINATION_AT_HOUR, destination), hourHash));
    indices[6] = finish(combine(combine(CARRIER_AT_ORIGIN, carrier), origin));
  }

  private void place(float[] circle, int at, int into) {
    dense[into] = circle[2 * at];
    dense[into + 1] = circle[2 * at + 1];
  }

  private static float[] circle(int period) {
    double turn = 2 * Math.PI / period;
    float[] places = new float[2 * period];
    for (int i = 0; i < period; i++) {
      places[2 * i] = (float) Math.sin(turn * i);
      places[2 * i + 1] = (float) Math.cos(turn * i);
    }
    return places;
  }

  /** FNV-1a over UTF-16 code units. */
  private static int hash(String text) {
    int hash = 0x811c9dc5;
    for (int i = 0; i < text.length(); i++) hash = (hash ^ text.charAt(i)) * 0x01000193;
    return hash;
  }

  private static int hash(int value) {
    return (value ^ 0x85ebca6b) * 0x01000193;
  }

  /** One round of MurmurHash3. */
  private static int combine(int hash, int next) {
    int k = Integer.rotateLeft(next * 0xcc9e2d51, 15) * 0x1b873593;
    return Integer.rotateLeft(hash ^ k, 13) * 5 + 0xe6546b64;
  }

  /** The finalizer of MurmurHash3, cut to the places there are. */
  private static int finish(int hash) {
    int h = (hash ^ hash >>> 16) * 0x85ebca6b;
    h = (h ^ h >>> 13) * 0xc2b2ae35;
    return (h ^ h >>> 16) & HASHED_SIZE - 1;
  }
}
