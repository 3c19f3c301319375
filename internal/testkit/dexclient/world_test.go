package dexclient_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/dexidp/dex/connector"
	"github.com/dexidp/dex/connector/atlassiancrowd"
)

// passwordConnector is what Dex itself takes the connector for.
type passwordConnector interface {
	connector.PasswordConnector
	connector.RefreshConnector
}

func setting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("set %s: doc.go says what to", name)
	}
	return value
}

// open opens the connector as Dex does at its start, with what change sets in its configuration.
func open(t *testing.T, change ...func(*atlassiancrowd.Config)) passwordConnector {
	t.Helper()
	c := atlassiancrowd.Config{
		BaseURL:      setting(t, "CROWD_URL"),
		ClientID:     setting(t, "CROWD_APPLICATION"),
		ClientSecret: setting(t, "CROWD_PASSWORD"),
	}
	for _, do := range change {
		do(&c)
	}
	opened, err := c.Open("crowd", slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatalf("open the connector: %v", err)
	}
	return opened.(passwordConnector)
}

// fresh gives a name that nothing has yet.
func fresh(name string) string { return name + "-" + rand.Text()[:10] }

// A person is a user as Crowd's API has it.
type person struct {
	Key         string    `json:"key,omitempty"`
	Name        string    `json:"name"`
	FirstName   string    `json:"first-name"`
	LastName    string    `json:"last-name"`
	DisplayName string    `json:"display-name"`
	Email       string    `json:"email"`
	Active      bool      `json:"active"`
	Password    *password `json:"password,omitempty"`
}

type password struct {
	Value string `json:"value"`
}

// create makes the user name, who can log in with "difference", and gives it as it is now.
func create(t *testing.T, name string) person {
	t.Helper()
	var made person
	call(t, http.MethodPost, "/user", person{
		Name: name, FirstName: "Ada", LastName: "Lovelace", Email: name + "@example.test",
		Active: true, Password: &password{"difference"},
	}, &made)
	return made
}

// deactivate switches a user off.
func deactivate(t *testing.T, p person) {
	t.Helper()
	p.Active, p.Password = false, nil
	call(t, http.MethodPut, "/user?username="+p.Name, p, nil)
}

// join makes the groups, each in the next, and the user a member of the first.
func join(t *testing.T, p person, groups ...string) {
	t.Helper()
	type named struct {
		Name string `json:"name"`
	}
	for i, group := range groups {
		call(t, http.MethodPost, "/group", named{group}, nil)
		if i > 0 {
			call(t, http.MethodPost, "/group/child-group/direct?groupname="+group, named{groups[i-1]}, nil)
		}
	}
	call(t, http.MethodPost, "/group/user/direct?groupname="+groups[0], named{p.Name}, nil)
}

// call prepares something through the API. It is not the client under test.
func call(t *testing.T, method, path string, body, answer any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, setting(t, "CROWD_URL")+"/rest/usermanagement/1"+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(setting(t, "CROWD_APPLICATION"), setting(t, "CROWD_PASSWORD"))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, got, err)
	}
	if answer != nil {
		if err := json.Unmarshal(got, answer); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, got)
		}
	}
}
