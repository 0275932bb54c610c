// Package kube asks the API server of a cluster the few things that starting
// and watching it need.
package kube

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Client speaks to one API server as its administrator.
type Client struct {
	server string
	http   *http.Client
}

// NewClient reads the administrator's keys from a folder.
func NewClient(server, keys string) (*Client, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(keys, "admin.crt"), filepath.Join(keys, "admin.key"))
	if err != nil {
		return nil, fmt.Errorf("read the administrator's key: %w", err)
	}
	ca, err := os.ReadFile(filepath.Join(keys, "ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("read the authority: not a certificate")
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 5 * time.Second,
	}
	return &Client{server: server, http: &http.Client{Transport: transport, Timeout: 10 * time.Second}}, nil
}

// Get reads one resource; into may be nil.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path, nil)
	if err != nil {
		return fmt.Errorf("get %s: %w", path, err)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("get %s: %w", path, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("get %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("get %s: %s: %s", path, response.Status, firstLine(body))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("get %s: %w", path, err)
	}
	return nil
}

// Ready reports whether the API server serves.
func (c *Client) Ready(ctx context.Context) error { return c.Get(ctx, "/readyz", nil) }

// Node is what a user wants to know of a node.
type Node struct {
	Name  string
	Zone  string
	Ready bool
	// Heartbeat is when kubelet last wrote the node's state.
	Heartbeat time.Time
}

// Nodes lists the nodes.
func (c *Client) Nodes(ctx context.Context) ([]Node, error) {
	var list struct {
		Items []struct {
			Metadata struct {
				Name   string            `json:"name"`
				Labels map[string]string `json:"labels"`
			} `json:"metadata"`
			Status struct {
				Conditions []struct {
					Type      string    `json:"type"`
					Status    string    `json:"status"`
					Heartbeat time.Time `json:"lastHeartbeatTime"`
				} `json:"conditions"`
			} `json:"status"`
		} `json:"items"`
	}
	if err := c.Get(ctx, "/api/v1/nodes", &list); err != nil {
		return nil, err
	}
	var nodes []Node
	for _, item := range list.Items {
		node := Node{Name: item.Metadata.Name, Zone: item.Metadata.Labels["topology.kubernetes.io/zone"]}
		for _, condition := range item.Status.Conditions {
			if condition.Type == "Ready" {
				node.Ready, node.Heartbeat = condition.Status == "True", condition.Heartbeat
			}
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// ServiceAddress finds the ClusterIP and port of a Service.
func (c *Client) ServiceAddress(ctx context.Context, namespace, name, port string) (string, error) {
	var service struct {
		Spec struct {
			ClusterIP string `json:"clusterIP"`
			Ports     []struct {
				Name string `json:"name"`
				Port int    `json:"port"`
			} `json:"ports"`
		} `json:"spec"`
	}
	if err := c.Get(ctx, "/api/v1/namespaces/"+namespace+"/services/"+name, &service); err != nil {
		return "", err
	}
	if service.Spec.ClusterIP == "" || service.Spec.ClusterIP == "None" {
		return "", fmt.Errorf("service %s/%s has no ClusterIP", namespace, name)
	}
	for _, p := range service.Spec.Ports {
		if number := fmt.Sprint(p.Port); p.Name == port || number == port {
			return service.Spec.ClusterIP + ":" + number, nil
		}
	}
	return "", fmt.Errorf("service %s/%s has no port %s", namespace, name, port)
}

func firstLine(body []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	return line
}
