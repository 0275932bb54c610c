package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
	apiplane "github.com/streamplane/streamplane/internal/plane"
)

const (
	configFolder    = "../../config"
	crdFolder       = configFolder + "/crd/bases"
	roleFile        = configFolder + "/rbac/role.yaml"
	metricsRoleFile = configFolder + "/rbac/metrics_role.yaml"
	secretsRoleFile = configFolder + "/rbac/secrets_role.yaml"

	// home is the namespace that the operator runs in.
	home         = "streamplane-system"
	operatorUser = "system:serviceaccount:" + home + ":streamplane-operator"
)

// plane is the control plane that all tests share: etcd and kube-apiserver,
// and no controller at all.
var plane struct {
	// admin may do everything; the tests act as it.
	admin *rest.Config
	// operator may do what config/rbac says; the operator acts as it.
	operator *rest.Config
	scheme   *runtime.Scheme
	// crds are the files of optional CRDs, by kind. All are installed.
	crds map[string]string
}

func TestMain(m *testing.M) {
	apiplane.Run(crdFolder, func(environment *envtest.Environment) (int, error) {
		plane.admin = environment.Config
		plane.scheme = runtime.NewScheme()
		if err := errors.Join(scheme.AddToScheme(plane.scheme), v1alpha1.AddToScheme(plane.scheme)); err != nil {
			return 0, err
		}
		if err := findCRDs(); err != nil {
			return 0, err
		}
		if _, err := envtest.InstallCRDs(plane.admin, envtest.CRDInstallOptions{Paths: slices.Collect(maps.Values(plane.crds))}); err != nil {
			return 0, fmt.Errorf("install optional CRDs: %w", err)
		}
		if err := addOperator(environment); err != nil {
			return 0, fmt.Errorf("add user: %w", err)
		}
		return m.Run(), nil
	})
}

// findCRDs asks for the modules that test/crds names, and fetches them when they
// are not there.
func findCRDs() error {
	command := exec.CommandContext(context.Background(), "go", "mod", "download", "-json",
		"sigs.k8s.io/gateway-api", "github.com/prometheus-operator/prometheus-operator", "github.com/kedacore/keda/v2")
	command.Dir = "../../test/crds"
	output, err := command.Output()
	if err != nil {
		return fmt.Errorf("find optional CRDs: %w: %s", err, output)
	}
	folders := map[string]string{}
	for modules := json.NewDecoder(bytes.NewReader(output)); modules.More(); {
		var module struct{ Path, Dir string }
		if err := modules.Decode(&module); err != nil {
			return fmt.Errorf("find optional CRDs: %w", err)
		}
		folders[module.Path] = module.Dir
	}
	plane.crds = map[string]string{
		"HTTPRoute":    folders["sigs.k8s.io/gateway-api"] + "/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
		"ScaledObject": folders["github.com/kedacore/keda/v2"] + "/config/crd/bases/keda.sh_scaledobjects.yaml",
		"ServiceMonitor": folders["github.com/prometheus-operator/prometheus-operator"] +
			"/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
	}
	return nil
}

// addOperator makes a user with the name and the rights of the operator's
// ServiceAccount, and what limits it.
func addOperator(environment *envtest.Environment) error {
	user, err := environment.AddUser(envtest.User{Name: operatorUser}, nil)
	if err != nil {
		return err
	}
	plane.operator = user.Config()
	for _, file := range installedFiles() {
		if err := install(file); err != nil {
			return err
		}
	}
	return nil
}

// installedFiles are those of config/default that need no pods.
func installedFiles() []string {
	return []string{
		configFolder + "/default/namespace.yaml",
		roleFile, configFolder + "/rbac/role_binding.yaml", metricsRoleFile, secretsRoleFile, configFolder + "/rbac/service_account.yaml",
		configFolder + "/policy/requester.yaml", configFolder + "/policy/guardrail.yaml",
	}
}

// install creates every object of a file.
func install(file string) error {
	c, err := client.New(plane.admin, client.Options{Scheme: plane.scheme})
	if err != nil {
		return err
	}
	documents, err := documentsOf(file)
	if err != nil {
		return err
	}
	for _, document := range documents {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), object); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := c.Create(context.Background(), object); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// documentsOf splits a YAML file.
func documentsOf(file string) ([]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []string
	for document := range strings.SplitSeq("\n"+string(data), "\n---\n") {
		if strings.Contains("\n"+document, "\nkind: ") { // else it is a comment
			all = append(all, document)
		}
	}
	return all, nil
}
