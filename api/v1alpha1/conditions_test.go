package v1alpha1

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// polarities are what the comments say of each type of condition.
func polarities(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "conditions.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for node := range ast.Preorder(file) {
		constant, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(constant.Names[0].Name, "Condition") {
			continue
		}
		name, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		_, polarity, _ := strings.Cut(strings.Join(strings.Fields(constant.Doc.Text()), " "), "Polarity: ")
		all[name], _, _ = strings.Cut(polarity, ".")
	}
	return all
}

func TestEveryConditionHasItsPolarity(t *testing.T) {
	all := polarities(t)
	if len(all) < 10 {
		t.Fatalf("found only %v", all)
	}
	for name, polarity := range all {
		want := map[string]bool{"abnormal-true": true, "normal-true": false}
		isAbnormal, said := want[polarity]
		if !said || isAbnormal != slices.Contains(abnormal(), name) {
			t.Errorf("condition %s: its comment says %q", name, polarity)
		}
		for status, attention := range map[metav1.ConditionStatus]bool{
			metav1.ConditionTrue: isAbnormal, metav1.ConditionFalse: !isAbnormal, metav1.ConditionUnknown: true,
		} {
			if got := NeedsAttention(metav1.Condition{Type: name, Status: status}); got != attention {
				t.Errorf("%s=%s needs attention: %t", name, status, got)
			}
		}
	}
}
