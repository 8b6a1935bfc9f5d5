package millrace.peer;

/** One run, as the benchmark sends it in a line of JSON. */
record Order(
    String broker,
    String work,
    /** Application id: the group, and the first part of the names of changelogs. */
    String name,
    String input,
    String output,
    int threads,
    int commitMs,
    /** Records of each partition of the input. */
    long[] sizes,
    String model) {}
