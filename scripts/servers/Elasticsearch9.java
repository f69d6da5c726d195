// Starts one Elasticsearch 9 node from the server's jars, on 127.0.0.1: home, instance directory, HTTP port, transport port.
import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

public class Elasticsearch9 {
  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]), run = Path.of(args[1]);
    Settings settings = Settings.builder()
        .put("path.home", home.toString())
        .put("path.data", run.resolve("data").toString())
        .put("path.logs", run.resolve("logs").toString())
        .put("cluster.name", "tapline-test")
        .put("node.name", "node-1")
        .put("network.host", "127.0.0.1")
        .put("http.port", args[2])
        .put("transport.port", args[3])
        .put("discovery.type", "single-node")
        .put("cluster.routing.allocation.disk.threshold_enabled", false)
        .build();
    Environment environment = new Environment(settings, run.resolve("config"));
    LogConfigurator.configureESLogging();
    LogConfigurator.configure(environment, true);
    Node node = new Node(environment, PluginsLoader.createPluginsLoader(
        PluginsLoader.loadModulesBundles(home.resolve("modules"), false),
        PluginsLoader.loadPluginsBundles(home.resolve("plugins"), false), Map.of(), false));
    node.start();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try { node.close(); } catch (Exception ignored) { }
    }));
    Thread.currentThread().join();
  }
}
