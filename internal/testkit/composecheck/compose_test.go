package composecheck_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// root is the folder of docker-compose.yml.
const root = "../../.."

// project reads the file as `docker compose config` does, with nothing from the environment: it
// must not need any.
func project(t *testing.T) *types.Project {
	t.Helper()
	dir, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "docker-compose.yml")}, cli.WithWorkingDirectory(dir))
	if err != nil {
		t.Fatal(err)
	}
	p, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatalf("Compose refuses the file: %v", err)
	}
	return p
}

// replicas are the services of our own image.
func replicas(p *types.Project) (found []types.ServiceConfig) {
	for _, s := range p.Services {
		if s.Build != nil {
			found = append(found, s)
		}
	}
	return found
}

func TestServices(t *testing.T) {
	p := project(t)
	if got, want := p.ServiceNames(), []string{"database", "proxy", "rollcall-1", "rollcall-2"}; !slices.Equal(got, want) {
		t.Errorf("services %q, want %q", got, want)
	}
	if n := len(replicas(p)); n != 2 {
		t.Errorf("%d replicas, want 2", n)
	}
}

func TestNothingIsWritableButData(t *testing.T) {
	for name, s := range project(t).Services {
		if !s.ReadOnly {
			t.Errorf("%s may write to its root file system", name)
		}
		if s.Privileged || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may gain privileges", name)
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind && !v.ReadOnly {
				t.Errorf("%s may write to %s of the machine", name, v.Source)
			}
		}
	}
	for _, s := range replicas(project(t)) {
		if !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0 || len(s.Volumes) > 0 || s.User == "root" || s.User == "0" {
			t.Errorf("%s has capabilities, volumes or another user than the image's: %+v", s.Name, s)
		}
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	p := project(t)
	for name, secret := range p.Secrets {
		folder, err := filepath.Abs(filepath.Join(root, "deploy", "secrets"))
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Dir(secret.File) != folder {
			t.Errorf("the secret %s comes from %q, want a file of deploy/secrets", name, secret.File)
		}
		readme, err := os.ReadFile(filepath.Join(folder, "README.md"))
		if err != nil || !strings.Contains(string(readme), "| `"+name+"` |") {
			t.Errorf("deploy/secrets/README.md has no row for %s: %v", name, err)
		}
	}
	for service, s := range p.Services {
		given := map[string]bool{}
		for _, secret := range s.Secrets {
			if _, ok := p.Secrets[secret.Source]; !ok {
				t.Errorf("%s is given the secret %s, which there is not", service, secret.Source)
			}
			given["/run/secrets/"+secret.Source] = true
		}
		for variable, value := range s.Environment {
			low := strings.ToLower(variable)
			file := strings.HasSuffix(low, "_file")
			if !file && (strings.Contains(low, "password") || strings.Contains(low, "secret") || strings.Contains(low, "database_url")) {
				t.Errorf("%s: %s stands in the environment", service, variable)
			}
			if file && (value == nil || !given[*value]) {
				t.Errorf("%s: %s names no secret of the service", service, variable)
			}
		}
	}
}

func TestOnlyTheProxyIsPublished(t *testing.T) {
	p := project(t)
	for name, s := range p.Services {
		if name != "proxy" && len(s.Ports) > 0 {
			t.Errorf("%s publishes %+v", name, s.Ports)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" || port.Target == 8096 || port.Published == "8096" {
				t.Errorf("%s publishes %s:%s for %d", name, port.HostIP, port.Published, port.Target)
			}
		}
		if s.NetworkMode == "host" {
			t.Errorf("%s is on the machine's own network", name)
		}
	}
	if !bool(p.Networks["back"].Internal) {
		t.Error("the database's network has a way out")
	}
	if _, reachable := p.Services["proxy"].Networks["back"]; reachable {
		t.Error("the proxy reaches the database")
	}
}

// Each variable is one of docs/configuration.md, and none twice, as value and as file.
func TestSettingsExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range replicas(project(t)) {
		for variable := range s.Environment {
			if !strings.HasPrefix(variable, "ROLLCALL_") || !strings.Contains(string(text), "`"+variable+"`") {
				t.Errorf("%s: %s is not in docs/configuration.md", s.Name, variable)
			}
			if _, both := s.Environment[strings.TrimSuffix(variable, "_FILE")]; both && strings.HasSuffix(variable, "_FILE") {
				t.Errorf("%s: %s is given as a value too", s.Name, variable)
			}
		}
	}
}

// Replicas believe the proxy's address and no other, and no address can be given away meanwhile.
func TestTheProxyIsTrusted(t *testing.T) {
	p := project(t)
	pools := p.Networks["front"].Ipam.Config
	if len(pools) != 1 {
		t.Fatalf("the network front has the subnets %+v", pools)
	}
	subnet, err := netip.ParsePrefix(pools[0].Subnet)
	if err != nil {
		t.Fatal(err)
	}
	taken := map[netip.Addr]string{}
	for name, s := range p.Services {
		front, on := s.Networks["front"]
		if !on {
			continue
		}
		if front == nil {
			t.Fatalf("%s has no fixed address", name)
		}
		address, err := netip.ParseAddr(front.Ipv4Address)
		if err != nil || !subnet.Contains(address) || taken[address] != "" {
			t.Errorf("%s has the address %v of %v, which %q has: %v", name, address, subnet, taken[address], err)
		}
		taken[address] = name
	}
	for _, s := range replicas(p) {
		want := p.Services["proxy"].Networks["front"].Ipv4Address + "/32"
		if got := s.Environment["ROLLCALL_TRUSTED_PROXIES"]; got == nil || *got != want {
			t.Errorf("%s does not trust %s, the proxy", s.Name, want)
		}
	}
}

func TestOrderOfStartAndStop(t *testing.T) {
	p := project(t)
	healthy := func(service, on string) {
		t.Helper()
		if d, ok := p.Services[service].DependsOn[on]; !ok || d.Condition != types.ServiceConditionHealthy {
			t.Errorf("%s doesn't wait for %s", service, on)
		}
	}
	for _, s := range replicas(p) {
		healthy(s.Name, "database")
		healthy("proxy", s.Name)
		if s.HealthCheck != nil {
			t.Errorf("%s overrules the image's health check", s.Name)
		}
		if s.StopGracePeriod == nil || time.Duration(*s.StopGracePeriod) <= 25*time.Second {
			t.Errorf("%s is killed before its shutdown-timeout", s.Name)
		}
	}
	for _, name := range []string{"database", "proxy"} {
		if check := p.Services[name].HealthCheck; check == nil || len(check.Test) < 2 || check.Test[0] != "CMD" {
			t.Errorf("%s has no health check", name)
		}
	}
}

// What the file mounts and builds from is there; nginx.conf speaks to the services by their names.
func TestReferencedFilesExist(t *testing.T) {
	p := project(t)
	for name, s := range p.Services {
		for _, v := range s.Volumes {
			if _, err := os.Stat(v.Source); v.Type == types.VolumeTypeBind && err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "deploy", "nginx.conf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range replicas(p) {
		if _, err := os.Stat(filepath.Join(s.Build.Context, "Dockerfile")); err != nil {
			t.Error(err)
		}
		if !strings.Contains(string(text), "server "+s.Name+":8095 ") {
			t.Errorf("deploy/nginx.conf doesn't know %s", s.Name)
		}
	}
}
