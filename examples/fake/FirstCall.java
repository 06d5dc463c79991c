// With the HTTP client of Java 11 and later, and nothing else: what a refusal says.
//
//   paylera-mock exec -- java FirstCall.java
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

class FirstCall {
    public static void main(String[] arguments) throws Exception {
        var url = URI.create(System.getenv("PAYLERA_BASE_URL") + "/v1/customers");
        var client = HttpClient.newHttpClient();

        var accepted = client.send(
            HttpRequest.newBuilder(url).header("Authorization", "Bearer " + System.getenv("PAYLERA_KEY")).build(),
            HttpResponse.BodyHandlers.ofString());
        System.out.println(accepted.statusCode());

        var refused = client.send(HttpRequest.newBuilder(url).build(), HttpResponse.BodyHandlers.ofString());
        System.out.println(refused.statusCode() + " " + refused.headers().firstValue("Paylera-Mock-Verdict").orElseThrow());
    }
}
