package server

import (
	"log/slog"
	"strconv"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	dirsync "github.com/rollcall-id/rollcall/sync"
	"github.com/rollcall-id/rollcall/sync/entra"
	"github.com/rollcall-id/rollcall/sync/google"
	"github.com/rollcall-id/rollcall/sync/okta"
)

// Sources gives what makes a directory's source out of its settings: one line a kind.
func Sources(log *slog.Logger) dirsync.Open {
	return func(dir *models.Directory, attributes []string) (dirsync.Source, error) {
		get := func(name string) string { return directory.SettingOf(dir, name) }
		secret := func(name string) models.Secret { return models.Secret(get(name)) }
		atOnce, err := strconv.Atoi(get("requests-at-once"))
		if err != nil {
			return nil, models.Fail(models.IllegalArgument, dir.Name, "the setting requests-at-once is no number")
		}
		log := log.With("directory", dir.Name)
		switch dir.Kind {
		case models.KindEntra:
			return entra.New(entra.Options{Tenant: get("tenant"), ClientID: get("client-id"), Secret: secret("client-secret"),
				Certificate: secret("client-certificate"), TokenFile: get("token-file"), GraphURL: get("graph-url"), AuthorityURL: get("authority-url"),
				Proxy: get("proxy"), CA: []byte(get("ca")), Concurrency: atOnce, Attributes: attributes, Log: log})
		case models.KindGoogle:
			return google.New(google.Options{Credentials: secret("credentials"), Subject: get("subject"), Customer: get("customer"),
				DirectoryURL: get("directory-url"), Proxy: get("proxy"), CA: []byte(get("ca")), Concurrency: atOnce, Attributes: attributes, Log: log})
		case models.KindOkta:
			return okta.New(okta.Options{OrgURL: get("org-url"), Token: secret("token"), ClientID: get("client-id"), Key: secret("private-key"),
				KeyID: get("key-id"), Inactive: directory.List(get("inactive-statuses")), GroupTypes: directory.List(get("group-types")),
				Proxy: get("proxy"), CA: []byte(get("ca")), Concurrency: atOnce, Attributes: attributes, Log: log})
		}
		return nil, models.Fail(models.Unsupported, dir.Name, "directories of the kind "+string(dir.Kind)+" have no source")
	}
}
