package layout

import (
	"fmt"
	"path/filepath"
	"regexp"
)

// RunRoot is the folder of the machine that holds locks, sockets and the
// registration of every cluster.
const RunRoot = "/run/streamplane"

// Paths are the folders of one cluster.
type Paths struct {
	// Name is the name of the cluster.
	Name string
	// State is the cluster's folder on disk: keys, data, logs.
	State string
}

// Run holds the sockets: their paths must stay short.
func (p Paths) Run() string { return filepath.Join(RunRoot, p.Name) }

// ControlSocket is where the supervisor listens.
func (p Paths) ControlSocket() string { return filepath.Join(p.Run(), "supervisor.sock") }

// ShimSockets is the folder of containerd's shim sockets, at most 38 characters.
func (p Paths) ShimSockets() string { return filepath.Join(p.Run(), "s") }

// Kubeconfig is the administrator's kubeconfig.
func (p Paths) Kubeconfig() string { return filepath.Join(p.State, "kubeconfig") }

// Logs is the folder with one log file per component.
func (p Paths) Logs() string { return filepath.Join(p.State, "logs") }

// Log is the log file of one component.
func (p Paths) Log(component string) string { return filepath.Join(p.Logs(), component+".log") }

// Keys is the folder of the certificates.
func (p Paths) Keys() string { return filepath.Join(p.State, "keys") }

// Spec is the file with what the cluster should be.
func (p Paths) Spec() string { return filepath.Join(p.State, "cluster.json") }

// Images is the folder of images that every node needs.
func (p Paths) Images() string { return filepath.Join(p.State, "images") }

// Inside is the cluster's folder as its own processes see it: the same files
// under a path that is short wherever the checkout lies.
func (p Paths) Inside() Paths { return Paths{Name: p.Name, State: filepath.Join(p.Run(), "data")} }

// Nodes is the folder that holds one folder per node.
func (p Paths) Nodes() string { return filepath.Join(p.State, "nodes") }

// Node is the folder of one node.
func (p Paths) Node(number int) string { return filepath.Join(p.Nodes(), NodeName(number)) }

// NodeRun is the folder of the sockets of one node.
func (p Paths) NodeRun(number int) string { return filepath.Join(p.Run(), NodeName(number)) }

// ContainerdSocket is where the container runtime of one node listens.
func (p Paths) ContainerdSocket(number int) string {
	return filepath.Join(p.NodeRun(number), "containerd.sock")
}

// Namespace is the name of a network namespace: member is "lan", "cp" or a
// node's name.
func (p Paths) Namespace(member string) string { return fmt.Sprintf("sp-%s-%s", p.Name, member) }

// NamespaceFile is the file that a network namespace is mounted on.
func (p Paths) NamespaceFile(member string) string {
	return filepath.Join(NamespaceRoot, p.Namespace(member))
}

// NamespaceRoot is the folder of named network namespaces.
const NamespaceRoot = "/run/netns"

// OwnsNamespace reports whether the named network namespace is the cluster's.
func (p Paths) OwnsNamespace(name string) bool {
	pattern := regexp.MustCompile(`^sp-` + regexp.QuoteMeta(p.Name) + `-(lan|cp|node-\d+)$`)
	return pattern.MatchString(name)
}

// Cgroup is the path of the cluster's control group below each hierarchy.
func (p Paths) Cgroup() string { return "/streamplane/" + p.Name }

// ComponentCgroup is the control group of one component.
func (p Paths) ComponentCgroup(component string) string {
	return p.Cgroup() + "/system/" + component
}

// NodeCgroup is the control group that holds the pods of one node.
func (p Paths) NodeCgroup(number int) string { return p.Cgroup() + "/" + NodeName(number) }

// HostLink is the name of the machine's own link to the LAN of the cluster.
func (p Plan) HostLink() string { return fmt.Sprintf("sp%d-host", p.Slot) }
