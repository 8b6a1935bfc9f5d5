import com.google.gson.Gson;
import com.sun.management.OperatingSystemMXBean;
import com.yahoo.labs.samoa.instances.Attribute;
import com.yahoo.labs.samoa.instances.DenseInstance;
import com.yahoo.labs.samoa.instances.Instance;
import com.yahoo.labs.samoa.instances.Instances;
import com.yahoo.labs.samoa.instances.InstancesHeader;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import moa.classifiers.Classifier;
import moa.core.Utils;
import moa.options.ClassOption;

/** MOA as a side of the benchmark `learners`: answers orders from the standard input, one a line. */
public final class Moa {
  private static final int NUMBERS = 30;
  private static final int WIDTH = NUMBERS + 3;
  private static final int BINARY = NUMBERS + 1;
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private static final class Order {
    String learner;
    String file;
    int rows;
    int columns;
    double seconds;
  }

  public static void main(String[] args) throws Exception {
    var lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      System.out.println(run(new Gson().fromJson(line, Order.class)));
    }
  }

  private static String run(Order order) throws Exception {
    InstancesHeader header = headerOf(order.columns);
    Instance[] rows = rowsOf(order, header);
    long learnt = 0;
    long nanos = 0;
    int right = 0;
    while (nanos < order.seconds * 1e9) {
      var model = (Classifier) ClassOption.cliStringToObject(order.learner, Classifier.class, null);
      model.setModelContext(header);
      model.prepareForUse();
      long before = SYSTEM.getProcessCpuTime();
      right = 0;
      for (Instance row : rows) {
        if (Utils.maxIndex(model.getVotesForInstance(row)) == (int) row.classValue()) right++;
        model.trainOnInstance(row);
      }
      nanos += SYSTEM.getProcessCpuTime() - before;
      learnt += rows.length;
    }
    return String.format(
        Locale.ROOT, "{\"rows\":%d,\"cpuSeconds\":%f,\"score\":%f}", learnt, nanos / 1e9, (double) right / rows.length);
  }

  private static InstancesHeader headerOf(int columns) {
    List<Attribute> attributes = new ArrayList<>();
    for (int i = 0; i < columns; i++) attributes.add(new Attribute("x" + i));
    attributes.add(new Attribute("label", List.of("0", "1")));
    var instances = new Instances("rows", attributes, 0);
    instances.setClassIndex(columns);
    return new InstancesHeader(instances);
  }

  private static Instance[] rowsOf(Order order, InstancesHeader header) throws IOException {
    FloatBuffer all =
        ByteBuffer.wrap(Files.readAllBytes(Path.of(order.file))).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    var rows = new Instance[order.rows];
    for (int row = 0; row < rows.length; row++) {
      var values = new double[order.columns + 1];
      for (int i = 0; i < order.columns; i++) values[i] = all.get(row * WIDTH + i);
      values[order.columns] = all.get(row * WIDTH + BINARY);
      rows[row] = new DenseInstance(1, values);
      rows[row].setDataset(header);
    }
    return rows;
  }
}
