package main

import (
	"context"
	"strings"
	"testing"

	"sigs.k8s.io/knftables"
)

func TestWrite(t *testing.T) {
	fake := knftables.NewFake(knftables.IPv4Family, tableName)
	f := compute(cluster(t,
		"{podSelector: {matchExpressions: [{key: app, operator: In, values: [web, api]}]}, policyTypes: [Ingress, Egress], ingress: [{from: [{ipBlock: {cidr: 10.1.0.0/30}}], ports: [{port: 8000, endPort: 8080}]}, {ports: [{port: http}]}]}",
		"{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: nobody}}}]}]}",
	), "here")
	for range 2 { // the second time over the first
		tx := fake.NewTransaction()
		write(tx, f)
		if err := fake.Run(context.Background(), tx); err != nil {
			t.Fatal(err)
		}
	}
	dump := fake.Dump()
	for _, want := range []string{
		"type filter hook forward priority 0",
		"type filter hook input priority 0",
		"forward ct state established,related accept",
		"{ 10.1.0.0-10.1.0.3 }",
		"tcp dport 8000-8080 return",
		"ip daddr . meta l4proto . th dport { 10.1.0.2 . tcp . 8080 } return",
		"themselves { 10.1.0.1 . 10.1.0.1 }",
		"ingress-of-pods { 10.1.0.3 : jump ingress-of-pods-",
	} {
		if !strings.Contains(dump, want) {
			t.Errorf("no %q in\n%s", want, dump)
		}
	}
	// Two pods of equal rules share a chain: one for what they send, one for
	// what they receive, one for db.
	if n := strings.Count(dump, refuse); n != 3 {
		t.Errorf("%d chains refuse, want 3:\n%s", n, dump)
	}
}
