package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxConfigFile bounds the YAML file.
const maxConfigFile = 1 << 20

// file reads the YAML file: one flat mapping of keys to values.
func (l *loader) file(name string) {
	if name == "" {
		return
	}
	data, err := readLimited(name, maxConfigFile)
	if err != nil {
		l.problem("configuration file", "%v", err)
		return
	}
	document, err := parseYAML(data)
	if err != nil {
		l.problem(name, "%v", err)
		return
	}
	if document != nil {
		l.mapping(name, document)
	}
}

// parseYAML gives the mapping of a document; nil when it is empty.
func parseYAML(data []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if !errors.Is(decoder.Decode(&second), io.EOF) {
		return nil, errors.New("has more than one document; keep one")
	}
	root := document.Content[0]
	switch {
	case root.Kind == yaml.ScalarNode && root.Tag == "!!null":
		return nil, nil
	case root.Kind != yaml.MappingNode:
		return nil, errors.New("has to be lines of `setting: value`")
	}
	return root, nil
}

// mapping notes each key's value. Keys are compared here, since the decoder into nodes takes
// the same key twice without a word.
func (l *loader) mapping(file string, m *yaml.Node) {
	known := map[string]bool{}
	for _, key := range keys() {
		known[key] = true
	}
	layer, lines := layer{}, map[string]int{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		from := fmt.Sprintf("%s:%d", file, key.Line)
		if !known[key.Value] {
			l.problem(from, "%q is no setting%s", key.Value, suggest(key.Value, keys(), func(k string) string { return k }))
			continue
		}
		if first := lines[key.Value]; first > 0 {
			l.problem(from, "%s is given twice, first in line %d; keep one", key.Value, first)
			continue
		}
		lines[key.Value] = key.Line
		text, err := yamlText(settingNamed(key.Value), value)
		if err != nil {
			l.problem(from, "%s: %v", key.Value, err)
			continue
		}
		layer.add(key.Value, given{from: from, text: text})
	}
	l.add(layer)
}

// yamlText gives a value as it would be written in the environment. s is nil for the key that
// names a secret's file.
func yamlText(s *setting, value *yaml.Node) (string, error) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	switch {
	case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
		return "", errors.New(`has no value; write "" if it is to be empty`)
	case value.Kind == yaml.ScalarNode:
		return value.Value, nil
	case value.Kind != yaml.SequenceNode || s == nil || s.kind != kindList:
		return "", errors.New("takes a single value")
	}
	var items []string
	for _, item := range value.Content {
		text, err := yamlText(nil, item)
		if err != nil {
			return "", err
		}
		items = append(items, text)
	}
	return strings.Join(items, ","), nil
}
