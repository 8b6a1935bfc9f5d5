import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's own client. Reads JSON objects from the standard input, one a line, does what each says, and prints one JSON object
 * for each; bytes are {"$bytes": base64}, as in client.py.
 */
public class Client {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] arguments) throws Exception {
    var lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode task = JSON.readTree(line);
      ObjectNode answer = task.get("op").asText().equals("write records") ? write(task) : read(task);
      System.out.println(JSON.writeValueAsString(answer));
    }
  }

  private static ObjectNode write(JsonNode task) throws Exception {
    Map<String, Object> settings = Map.of(
        "bootstrap.servers", task.get("kafka").asText(),
        "compression.type", task.get("compression").asText(),
        "linger.ms", 50);
    try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
      var sent = new java.util.ArrayList<java.util.concurrent.Future<?>>();
      for (JsonNode each : task.get("records")) {
        var record = new ProducerRecord<byte[], byte[]>(
            task.get("topic").asText(), 0, each.get("timestampMs").asLong(), bytes(each.get("key")), bytes(each.get("value")));
        for (JsonNode header : each.get("headers")) record.headers().add(header.get(0).asText(), bytes(header.get(1)));
        sent.add(producer.send(record));
      }
      for (var each : sent) each.get();
    }
    return JSON.createObjectNode().put("written", task.get("records").size());
  }

  private static ObjectNode read(JsonNode task) {
    Map<String, Object> settings = Map.of("bootstrap.servers", task.get("kafka").asText(), "isolation.level", "read_committed");
    ObjectNode answer = JSON.createObjectNode();
    ArrayNode values = answer.putArray("values");
    try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      var partitions = List.of(new TopicPartition(task.get("topic").asText(), 0));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      while (values.size() < task.get("count").asInt()) {
        var polled = consumer.poll(Duration.ofSeconds(20));
        if (polled.isEmpty()) throw new IllegalStateException("no record came");
        for (ConsumerRecord<byte[], byte[]> record : polled) {
          ObjectNode each = values.addObject();
          each.set("key", tagged(record.key()));
          each.set("value", tagged(record.value()));
          ArrayNode headers = each.putArray("headers");
          for (Header header : record.headers()) headers.addArray().add(header.key()).add(tagged(header.value()));
          each.put("timestampMs", record.timestamp());
        }
      }
    }
    return answer;
  }

  private static byte[] bytes(JsonNode value) {
    return value.isNull() ? null : Base64.getDecoder().decode(value.get("$bytes").asText());
  }

  private static JsonNode tagged(byte[] bytes) {
    if (bytes == null) return JSON.nullNode();
    return JSON.createObjectNode().put("$bytes", Base64.getEncoder().encodeToString(bytes));
  }
}
