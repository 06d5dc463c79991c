// The fake in a container, with github.com/testcontainers/testcontainers-go.
package acme

import (
	"context"
	"net/http"
	"testing"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

func TestCustomersAreListed(t *testing.T) {
	ctx := context.Background()
	// The image: `docker build . --tag paylera-mock` in the testkit.
	paylera, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		ContainerRequest: testcontainers.ContainerRequest{
			Image:        "paylera-mock",
			Env:          map[string]string{"PAYLERA_CONTROL_TOKEN": "for-tests-only"},
			ExposedPorts: []string{"4242/tcp"},
			WaitingFor:   wait.ForHTTP("/openapi/v1.json").WithPort("4242/tcp"),
		},
		Started: true,
	})
	testcontainers.CleanupContainer(t, paylera)
	if err != nil {
		t.Fatal(err)
	}
	url, err := paylera.PortEndpoint(ctx, "4242/tcp", "http")
	if err != nil {
		t.Fatal(err)
	}

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/customers", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer sk_sandbox_serviceall0000000000000000000000")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("got status %d", answer.StatusCode)
	}
}
