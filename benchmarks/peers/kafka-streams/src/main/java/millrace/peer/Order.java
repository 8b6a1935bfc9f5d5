package millrace.peer;

import java.util.Arrays;

/** One run, as the benchmark sends it in a line of JSON. */
record Order(
    String broker,
    String work,
    /** Application id: the group, and the first part of the names of changelogs. */
    String name,
    Input[] inputs,
    String output,
    int threads,
    int commitMs,
    String model) {

  /** A topic, and the records of each of its partitions. */
  record Input(String topic, long[] sizes) {}

  /** The records of a partition; none where the topic is not an input of the order. */
  long size(String topic, int partition) {
    return Arrays.stream(inputs)
        .filter(input -> input.topic().equals(topic))
        .mapToLong(input -> input.sizes()[partition])
        .sum();
  }
}
