package millrace.peer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;

/** The model in ONNX Runtime, on one thread of the caller's. */
final class Risk {
  static final int BATCH = 256;

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final String input;

  Risk(String model) {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
      session = environment.createSession(model, options);
      input = session.getInputNames().iterator().next();
    } catch (OrtException error) {
      throw new IllegalStateException(error);
    }
  }

  /** Room for a batch. */
  static FloatBuffer rows() {
    return ByteBuffer.allocateDirect(4 * BATCH * Features.DENSE).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  /** Probabilities of both classes, row by row. */
  FloatBuffer score(FloatBuffer rows, int count) {
    rows.position(0).limit(count * Features.DENSE);
    try (OnnxTensor tensor = OnnxTensor.createTensor(environment, rows, new long[] {count, Features.DENSE});
        OrtSession.Result result = session.run(Map.of(input, tensor))) {
      return ((OnnxTensor) result.get("probabilities").orElseThrow()).getFloatBuffer();
    } catch (OrtException error) {
      throw new IllegalStateException(error);
    } finally {
      rows.clear();
    }
  }
}
