package millrace.peer;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;

/** Reads orders from the standard input, one a line, and runs each until the line `stop`. */
public final class Main {
  private Main() {}

  public static void main(String[] args) throws IOException {
    ObjectMapper json = new ObjectMapper();
    Path state = Files.createTempDirectory("kafka-streams-peer");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      Order order = json.readValue(line, Order.class);
      try (KafkaStreams streams = new KafkaStreams(Works.topology(order), settings(order, state))) {
        streams.setUncaughtExceptionHandler(
            error -> {
              error.printStackTrace();
              say("failed");
              return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
        streams.start();
        lines.readLine();
        streams.close(Duration.ofSeconds(30));
        streams.cleanUp();
      }
      say("closed");
    }
  }

  static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  private static Properties settings(Order order, Path state) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, order.broker());
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, order.name());
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, order.threads());
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, order.commitMs());
    settings.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L << 20);
    settings.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
    // Event times lie in the past: neither a window's records nor a changelog's may be deleted for their age.
    settings.put(StreamsConfig.WINDOW_STORE_CHANGE_LOG_ADDITIONAL_RETENTION_MS_CONFIG, Duration.ofDays(36_500).toMillis());
    // Larger than the defaults in all that measurably helps throughput.
    settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 512 << 10);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L << 20);
    return settings;
  }
}
