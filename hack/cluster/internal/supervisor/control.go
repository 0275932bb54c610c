package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// Report is what the supervisor says about itself.
type Report struct {
	// PID of the supervisor.
	PID int `json:"pid"`
	// Since is when it started.
	Since time.Time `json:"since"`
	// Fingerprint identifies the programs and settings it runs.
	Fingerprint string `json:"fingerprint"`
	// Units are its processes.
	Units []Status `json:"units"`
	// Published are the addresses that listen on the machine.
	Published []Published `json:"published"`
}

// Published is one Service that listens on the machine.
type Published struct {
	// Listen is the address on the machine.
	Listen string `json:"listen"`
	// Target is the Service, as namespace/name:port.
	Target string `json:"target"`
	// Problem says why it does not listen.
	Problem string `json:"problem,omitempty"`
}

// Handlers answer the requests on the control socket.
type Handlers struct {
	Report func() Report
	Reload func() error
}

// Serve answers on the control socket until ctx is done.
func Serve(ctx context.Context, socket string, h Handlers) error {
	_ = os.Remove(socket)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("listen on the control socket: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(h.Report())
	})
	mux.HandleFunc("POST /reload", func(w http.ResponseWriter, _ *http.Request) {
		if err := h.Reload(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the control socket: %w", err)
	}
	return nil
}

// Control talks to a running supervisor.
type Control struct {
	// Socket is where it listens.
	Socket string
}

// Report asks how everything is; it fails when no supervisor runs.
func (c Control) Report(ctx context.Context) (Report, error) {
	var report Report
	body, err := c.ask(ctx, http.MethodGet, "/report")
	if err != nil {
		return Report{}, err
	}
	if err := json.Unmarshal(body, &report); err != nil {
		return Report{}, fmt.Errorf("read the supervisor's report: %w", err)
	}
	return report, nil
}

// Reload makes the supervisor read the cluster's description again.
func (c Control) Reload(ctx context.Context) error {
	_, err := c.ask(ctx, http.MethodPost, "/reload")
	return err
}

func (c Control) ask(ctx context.Context, method, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", c.Socket)
	}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, method, "http://supervisor"+path, nil)
	if err != nil {
		return nil, fmt.Errorf("ask the supervisor: %w", err)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the supervisor: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("ask the supervisor: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the supervisor refuses: %s", strings.TrimSpace(string(body)))
	}
	return body, nil
}
