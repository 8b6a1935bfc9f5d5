package millrace.peer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/**
 * Avro behind a zero byte and the id of its schema, field by field through Avro's own decoder and encoder: what code that is
 * generated from a schema does.
 */
final class Avro {
  private static final int HEADER_BYTES = 5;

  interface Reader<T> {
    T read(int schemaId, BinaryDecoder in) throws IOException;
  }

  interface Writer<T> {
    void write(T value, BinaryEncoder out) throws IOException;
  }

  interface Written {
    int schemaId();
  }

  /** What a thread uses again for each record. */
  private static final class Tools {
    static final ThreadLocal<Tools> OF_THREAD = ThreadLocal.withInitial(Tools::new);

    final ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    final BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
    final BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(new byte[0], null);
  }

  private Avro() {}

  static <T extends Written> Serde<T> serde(Reader<T> reader, Writer<T> writer) {
    return Serdes.serdeFrom(
        (topic, value) -> value == null ? null : write(value, writer),
        (topic, bytes) -> bytes == null ? null : read(bytes, reader));
  }

  private static <T> T read(byte[] bytes, Reader<T> reader) {
    BinaryDecoder decoder = Tools.OF_THREAD.get().decoder;
    DecoderFactory.get().binaryDecoder(bytes, HEADER_BYTES, bytes.length - HEADER_BYTES, decoder);
    try {
      return reader.read(ByteBuffer.wrap(bytes).getInt(1), decoder);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static <T extends Written> byte[] write(T value, Writer<T> writer) {
    Tools tools = Tools.OF_THREAD.get();
    tools.bytes.reset();
    tools.bytes.writeBytes(ByteBuffer.allocate(HEADER_BYTES).putInt(1, value.schemaId()).array());
    try {
      writer.write(value, tools.encoder);
      tools.encoder.flush();
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    return tools.bytes.toByteArray();
  }
}
