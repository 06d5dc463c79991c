// The fake in a container, with org.testcontainers:testcontainers and :junit-jupiter.
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;

@Testcontainers
class PayleraContainerTest {
    // The image: `docker build . --tag paylera-mock` in the testkit.
    @Container
    static final GenericContainer<?> PAYLERA = new GenericContainer<>("paylera-mock")
        .withEnv("PAYLERA_CONTROL_TOKEN", "for-tests-only")
        .withExposedPorts(4242)
        .waitingFor(Wait.forHttp("/openapi/v1.json").forPort(4242));

    @Test
    void customersAreListed() throws Exception {
        var url = "http://" + PAYLERA.getHost() + ":" + PAYLERA.getMappedPort(4242);
        var answer = HttpClient.newHttpClient().send(
            HttpRequest.newBuilder(URI.create(url + "/v1/customers"))
                .header("Authorization", "Bearer sk_sandbox_serviceall0000000000000000000000")
                .build(),
            HttpResponse.BodyHandlers.ofString());
        assertEquals(200, answer.statusCode());
    }
}
