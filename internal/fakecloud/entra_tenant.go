package fakecloud

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// organization answers GET /organization: the tenant itself.
func (e *Entra) organization(w http.ResponseWriter, r *http.Request, _ graphAccess) {
	q, ok := e.readQuery(w, r, "$select")
	if !ok {
		return
	}
	domain := e.Directory.gen.Domain
	name, _, _ := strings.Cut(domain, ".")
	org := map[string]any{
		"id": e.settings().Tenant, "displayName": strings.ToUpper(name[:1]) + name[1:],
		"verifiedDomains": []map[string]any{{"name": domain, "isDefault": true, "isInitial": false}},
	}
	if q.selected != nil {
		maps.DeleteFunc(org, func(key string, _ any) bool { return !slices.Contains(q.selected, key) })
	}
	e.write(w, r, graphPage{about: "organization", value: appendAny(nil, []any{org})})
}

// applications answers GET /applications?$filter=appId eq '…'.
func (e *Entra) applications(w http.ResponseWriter, r *http.Request, a graphAccess) {
	q, ok := e.readQuery(w, r, "$select", "$filter", "$top")
	if !ok {
		return
	}
	if !a.any(ApplicationReadAll, DirectoryReadAll) {
		e.forbidden(w, r)
		return
	}
	value := []any{}
	c := e.settings()
	if q.filter == nil || q.filter.holds(func(name string) string {
		if name != "appId" {
			return "null"
		}
		return string(appendString(nil, c.ClientID))
	}) {
		value = append(value, e.registration(c, q))
	}
	e.write(w, r, graphPage{about: "applications", value: appendAny(nil, value)})
}

// application answers GET /applications(appId='…').
func (e *Entra) application(w http.ResponseWriter, r *http.Request, a graphAccess) {
	id, ok := strings.CutPrefix(r.PathValue("object"), "applications(appId='")
	id, closed := strings.CutSuffix(id, "')")
	if !ok || !closed {
		e.unknown(w, r, a)
		return
	}
	q, ok := e.readQuery(w, r, "$select")
	c := e.settings()
	switch {
	case !ok:
	case !a.any(ApplicationReadAll, DirectoryReadAll):
		e.forbidden(w, r)
	case !c.Open && !strings.EqualFold(id, c.ClientID):
		e.notFound(w, r, id)
	default:
		writeJSON(w, http.StatusOK, e.registration(c, q))
	}
}

// registration is the application that may come, with the days on which its credentials end.
func (e *Entra) registration(c EntraConfig, q graphQuery) map[string]any {
	keys := []map[string]any{}
	for _, certificate := range c.Certificates {
		keys = append(keys, map[string]any{"keyId": e.ids.of(Member{Device, len(keys)}).String(), "type": "AsymmetricX509Cert",
			"usage": "Verify", "endDateTime": certificate.NotAfter.UTC().Format(time.RFC3339)})
	}
	app := map[string]any{
		"id": e.ids.of(Member{ServicePrincipal, 0}).String(), "appId": c.ClientID, "displayName": "Rollcall",
		"passwordCredentials": []map[string]any{{"keyId": e.ids.of(Member{Contact, 0}).String(), "displayName": "rollcall",
			"hint": c.Secret[:min(3, len(c.Secret))], "endDateTime": c.SecretEnds.UTC().Format(time.RFC3339), "secretText": nil}},
		"keyCredentials": keys,
	}
	if q.selected != nil {
		maps.DeleteFunc(app, func(key string, _ any) bool { return !slices.Contains(q.selected, key) })
	}
	return app
}

// deletedUsers answers GET /directory/deletedItems/microsoft.graph.user: those that may be
// restored.
func (e *Entra) deletedUsers(w http.ResponseWriter, r *http.Request, a graphAccess) {
	if !a.users() {
		e.forbidden(w, r)
		return
	}
	q, ok := e.readQuery(w, r, "$select", "$top", "$count", "$skiptoken")
	if !ok || !e.checkAdvanced(w, r, q, false) {
		return
	}
	if fields, ok := e.selectUsers(w, r, a, q, append(slices.Clone(usersWithoutSelect), "deletedDateTime")); ok {
		listObjects(e, w, r, graphUsers, q, fields, deleted, true)
	}
}

// deletedGroups answers GET /directory/deletedItems/microsoft.graph.group.
func (e *Entra) deletedGroups(w http.ResponseWriter, r *http.Request, a graphAccess) {
	if !a.groups() {
		e.forbidden(w, r)
		return
	}
	q, ok := e.readQuery(w, r, "$select", "$top", "$count", "$skiptoken")
	if !ok || !e.checkAdvanced(w, r, q, false) {
		return
	}
	if fields, ok := e.selectGroups(w, r, q); ok {
		listObjects(e, w, r, graphGroups, q, fields, deleted, true)
	}
}
