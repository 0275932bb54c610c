package operator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const (
	crdFolder   = "../../config/crd/bases"
	roleFile    = "../../config/rbac/role.yaml"
	assetsUnset = "KUBEBUILDER_ASSETS is not set: run \"make unit\", which builds etcd and kube-apiserver and sets it"
)

// plane is the control plane that all tests share: etcd and kube-apiserver,
// and no controller at all.
var plane struct {
	// admin may do everything; the tests act as it.
	admin *rest.Config
	// operator may do what config/rbac/role.yaml says; the operator acts as it.
	operator *rest.Config
	scheme   *runtime.Scheme
}

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	code, err := withPlane(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withPlane(run func() int) (code int, err error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return 0, errors.New(assetsUnset)
	}
	environment := &envtest.Environment{CRDDirectoryPaths: []string{crdFolder}, ErrorIfCRDPathMissing: true}
	// The usual 254 addresses are not enough for the Services of all tests.
	environment.ControlPlane.GetAPIServer().Configure().Set("service-cluster-ip-range", "10.0.0.0/16")
	plane.admin, err = environment.Start()
	if err != nil {
		return 0, fmt.Errorf("start control plane: %w", errors.Join(err, environment.Stop()))
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	plane.scheme = runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(plane.scheme), v1alpha1.AddToScheme(plane.scheme)); err != nil {
		return 0, err
	}
	if err := addOperator(environment); err != nil {
		return 0, fmt.Errorf("add user: %w", err)
	}
	return run(), nil
}

// addOperator makes a user with the rights that the operator has in a cluster.
func addOperator(environment *envtest.Environment) error {
	user, err := environment.AddUser(envtest.User{Name: "operator", Groups: []string{"operators"}}, nil)
	if err != nil {
		return err
	}
	plane.operator = user.Config()
	role, err := clusterRole()
	if err != nil {
		return err
	}
	c, err := client.New(plane.admin, client.Options{Scheme: plane.scheme})
	if err != nil {
		return err
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "operators"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "Group", Name: "operators"}},
	}
	ctx := context.Background()
	return errors.Join(c.Create(ctx, role), c.Create(ctx, binding))
}

// clusterRole is the one in the file of the operator's roles.
func clusterRole() (*rbacv1.ClusterRole, error) {
	data, err := os.ReadFile(roleFile)
	if err != nil {
		return nil, err
	}
	for document := range strings.SplitSeq(string(data), "---\n") {
		role := &rbacv1.ClusterRole{}
		if err := yaml.Unmarshal([]byte(document), role); err != nil {
			return nil, fmt.Errorf("%s: %w", roleFile, err)
		}
		if role.Kind == "ClusterRole" {
			return role, nil
		}
	}
	return nil, fmt.Errorf("%s: no ClusterRole", roleFile)
}
