//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// counter tells how often it has started, by a file in its storage.
const counter = `
apiVersion: streamplane.dev/v1alpha1
kind: Microservice
metadata:
  name: counter
spec:
  platformRef: {name: acme}
  image: %s
  command:
    - /usr/bin/node
    - -e
    - |
      const fs = require("fs"), file = "/data/starts"
      const starts = 1 + (fs.existsSync(file) ? Number(fs.readFileSync(file)) : 0)
      fs.writeFileSync(file, String(starts))
      require("http").createServer((_, answer) => answer.end()).listen(8080, () => console.log("start " + starts))
      process.on("SIGTERM", () => process.exit())
  storage:
    - {name: data, kind: Single, size: 64Mi, mountPath: /data}
`

// TestSingleStorageKeepsItsData deletes a service and makes it again.
func TestSingleStorageKeepsItsData(t *testing.T) {
	t.Parallel() // it mostly waits
	ns := namespace(t, "storage")
	starts := func(n int) {
		t.Helper()
		if out, err := kubectlApply(t, ns, fmt.Sprintf(counter, env.facts)); err != nil {
			t.Fatal(out)
		}
		eventually(t, fmt.Sprintf("start %d is told", n), func() string {
			out, err := run(t, env.kubectl, "logs", "--namespace", ns, "deployment/counter-blue", "--container", "app")
			if err != nil || !strings.Contains(out, fmt.Sprintf("start %d\n", n)) {
				return fmt.Sprint(out, err)
			}
			return ""
		})
	}
	starts(1)
	claim := get(t, ns, "counter-data", &corev1.PersistentVolumeClaim{}).UID
	kubectl(t, "delete", "--namespace", ns, "microservice/counter")
	kubectl(t, "wait", "--namespace", ns, "--for=delete", "pod", "--selector=app.kubernetes.io/instance=counter", "--timeout="+patience.String())
	starts(2)
	if now := get(t, ns, "counter-data", &corev1.PersistentVolumeClaim{}).UID; now != claim {
		t.Errorf("the claim was made again: %s, then %s", claim, now)
	}
}
