// Command coredns is the DNS server of the local cluster: CoreDNS with only
// the plugins that its configuration uses.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	// Each plugin registers itself.
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

func main() {
	// The order in which a query passes through the plugins.
	dnsserver.Directives = []string{
		"bind", "health", "ready", "prometheus", "errors", "loadbalance", "kubernetes", "template",
	}
	coremain.Run()
}
