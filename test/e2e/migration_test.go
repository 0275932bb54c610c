//go:build e2e

package e2e

import (
	"maps"
	"strings"
	"testing"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// asksStreaming is a migration in JavaScript that needs what a pod of the service
// has: its variables, and the way to those that it calls.
const asksStreaming = `fetch(process.env.STREAMING_URL + "/v/clock/master.m3u8").then(r => process.exit(r.ok ? 0 : 1), e => { console.error(e); process.exit(2) })`

func script(text string) *v1alpha1.Migration {
	return &v1alpha1.Migration{Command: []string{"/usr/bin/node", "-e", text}}
}

// failsToMigrate gives facts a new image with a migration that fails: none of its
// pods is touched, and the status says why.
func failsToMigrate(t *testing.T, p *v1alpha1.StreamingPlatform) {
	t.Helper()
	before := podUIDs(t, p.Namespace, "acme-facts")
	edit(t, p, func(s *v1alpha1.PlatformService) {
		s.Image, s.Migration = env.factsVariant, script("process.exit(3)")
		s.Migration.BackoffLimit = new(int32(0))
	})
	eventually(t, "the migration fails", func() string {
		m := get(t, p.Namespace, "acme-facts", &v1alpha1.Microservice{})
		stalled := condition(m.Status.Conditions, v1alpha1.ConditionStalled)
		if !strings.Contains(stalled, v1alpha1.ReasonMigrationFailed) || !strings.Contains(stalled, "exit code 3") {
			return stalled
		}
		return ""
	})
	if now := podUIDs(t, p.Namespace, "acme-facts"); !maps.Equal(now, before) {
		t.Errorf("pods are %v, were %v", now, before)
	}
	keep(t, "kubectl-get-migration.txt", []byte(kubectl(t, "get", "ms,jobs,pods", "--namespace", p.Namespace)))
}
