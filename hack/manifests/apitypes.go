package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// apiTypes knows the Go types of one API package by name.
type apiTypes map[string]apiType

// apiType is a type declaration and the imports that its file can see.
type apiType struct {
	expr    ast.Expr
	imports map[string]string
}

// field is one JSON field of a struct.
type field struct {
	name   string
	inline bool
	typ    apiType
}

// parseTypes reads the type declarations of a folder, tests left out.
func parseTypes(folder string) (apiTypes, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read API types: %w", err)
	}
	types := apiTypes{}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("read API types: %w", err)
		}
		types.addFile(file)
	}
	return types, nil
}

func (t apiTypes) addFile(file *ast.File) {
	imports := map[string]string{}
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has checked it
		}
		name := path[strings.LastIndex(path, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = path
	}
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok || general.Tok != token.TYPE {
			continue
		}
		for _, spec := range general.Specs {
			if declared, ok := spec.(*ast.TypeSpec); ok {
				t[declared.Name.Name] = apiType{expr: declared.Type, imports: imports}
			}
		}
	}
}

// fields lists the JSON fields of a struct type; other types have none.
func (t apiType) fields() []field {
	structure, ok := t.expr.(*ast.StructType)
	if !ok {
		return nil
	}
	var all []field
	for _, f := range structure.Fields.List {
		if f.Tag == nil {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			continue // the parser has checked it
		}
		name, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		all = append(all, field{
			name:   name,
			inline: name == "" && strings.Contains(options, "inline"),
			typ:    apiType{expr: f.Type, imports: t.imports},
		})
	}
	return all
}

// element follows pointers, slices, maps and named types of the package to what they hold. The second
// result is the import path when that is a type of another package.
func (t apiTypes) element(typ apiType) (apiType, string) {
	for {
		switch expr := typ.expr.(type) {
		case *ast.StarExpr:
			typ.expr = expr.X
		case *ast.ArrayType:
			typ.expr = expr.Elt
		case *ast.MapType:
			typ.expr = expr.Value
		case *ast.Ident:
			named, ok := t[expr.Name]
			if !ok {
				return typ, "" // a built-in type
			}
			typ = named
		case *ast.SelectorExpr:
			if pkg, ok := expr.X.(*ast.Ident); ok {
				return typ, typ.imports[pkg.Name]
			}
			return typ, ""
		default:
			return typ, ""
		}
	}
}
