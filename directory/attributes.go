package directory

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// The attributes that Crowd keeps of a user's logins. They look like any other attribute, and
// are columns of the user's credential.
const (
	attrFailures          = "invalidPasswordAttempts"
	attrMustChange        = "requiresPasswordChange"
	attrLastAuthenticated = "lastAuthenticated"
	attrLastActive        = "lastActive"
	attrPasswordChanged   = "passwordLastChanged"
)

// UserAttributes reads the attributes of users, those of their logins included, each by name.
func (s *Service) UserAttributes(ctx context.Context, users []models.ID) (map[models.ID][]models.Attribute, error) {
	return s.UserAttributesFrom(ctx, &s.store.Reads, users)
}

// UserAttributesFrom reads them as UserAttributes does, through a transaction or a snapshot.
func (s *Service) UserAttributesFrom(ctx context.Context, r *store.Reads, users []models.ID) (map[models.ID][]models.Attribute, error) {
	all, err := r.UserAttributes(ctx, users)
	if err != nil {
		return nil, err
	}
	logins, err := r.Bookkeeping(ctx, users)
	if err != nil {
		return nil, err
	}
	for id, c := range logins {
		all[id] = append(all[id], loginAttributes(c)...)
		slices.SortFunc(all[id], func(a, b models.Attribute) int { return strings.Compare(a.Name, b.Name) })
	}
	return all, nil
}

func loginAttributes(c models.Credential) []models.Attribute {
	attrs := []models.Attribute{
		{Name: attrFailures, Values: []string{strconv.Itoa(c.Failures)}},
		{Name: attrMustChange, Values: []string{strconv.FormatBool(c.MustChange)}},
	}
	for name, at := range map[string]models.Time{attrLastAuthenticated: c.LastAuthenticated, attrLastActive: c.LastActive, attrPasswordChanged: c.ChangedAt} {
		if at != 0 {
			attrs = append(attrs, models.Attribute{Name: name, Values: []string{strconv.FormatInt(int64(at), 10)}})
		}
	}
	return attrs
}

// SetUserAttributes replaces the values of each named attribute; one without values is
// deleted, others stay.
func (e *Edit) SetUserAttributes(dir *models.Directory, name string, attrs []models.Attribute) error {
	u, err := e.user(dir, name)
	if err != nil {
		return err
	}
	return e.setUserAttributes(u, attrs)
}

func (e *Edit) setUserAttributes(u *models.User, attrs []models.Attribute) error {
	if err := checkAttributes(attrs); err != nil {
		return err
	}
	var own []models.Attribute
	credential, err := e.tx.Credential(e.ctx, u.ID)
	if err != nil {
		return err
	}
	before, forgiven := credential, false
	for _, a := range attrs {
		isLogin, err := setLoginAttribute(&credential, a)
		if err != nil {
			return err
		}
		if !isLogin {
			own = append(own, a)
		}
		// Delays have counts of their own, which a login through another application leaves.
		forgiven = forgiven || a.Name == attrFailures && credential.Failures == 0
	}
	if credential != before || forgiven {
		if err := e.tx.SetBookkeeping(u, credential); err != nil {
			return err
		}
	}
	if len(own) == 0 {
		return nil
	}
	return e.tx.SetUserAttributes(u, own)
}

// setLoginAttribute takes over an attribute of a user's logins and tells whether it is one.
// Without a value it goes back to zero.
func setLoginAttribute(c *models.Credential, a models.Attribute) (bool, error) {
	value := ""
	if len(a.Values) > 0 {
		value = a.Values[0]
	}
	times := map[string]*models.Time{attrLastAuthenticated: &c.LastAuthenticated, attrLastActive: &c.LastActive, attrPasswordChanged: &c.ChangedAt}
	switch {
	case a.Name == attrMustChange:
		if value != "" && !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false") {
			return true, models.Fail(models.IllegalArgument, a.Name, "Attribute <"+a.Name+"> takes true or false.")
		}
		c.MustChange = strings.EqualFold(value, "true")
		return true, nil
	case a.Name == attrFailures:
		n, err := wholeNumber(a.Name, value)
		c.Failures = int(n)
		return true, err
	case times[a.Name] != nil:
		n, err := wholeNumber(a.Name, value)
		*times[a.Name] = models.Time(n)
		return true, err
	}
	return false, nil
}

func wholeNumber(name, value string) (int64, error) {
	if value == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return 0, models.Fail(models.IllegalArgument, name, "Attribute <"+name+"> takes a whole number.")
	}
	return n, nil
}

// GroupAttributes reads the attributes of groups, each by name.
func (s *Service) GroupAttributes(ctx context.Context, groups []models.ID) (map[models.ID][]models.Attribute, error) {
	return s.store.GroupAttributes(ctx, groups)
}

// SetGroupAttributes replaces the values of each named attribute, as SetUserAttributes does.
func (e *Edit) SetGroupAttributes(dir *models.Directory, name string, attrs []models.Attribute) error {
	g, err := e.group(dir, name, groups)
	if err != nil {
		return err
	}
	if err := checkAttributes(attrs); err != nil {
		return err
	}
	return e.tx.SetGroupAttributes(g, attrs)
}

func checkAttributes(attrs []models.Attribute) error {
	for _, a := range attrs {
		if problem := models.NameProblem(a.Name); problem != "" {
			return models.Fail(models.IllegalArgument, a.Name, "An attribute can't have the name <"+printable(a.Name)+">: "+problem)
		}
		for _, value := range a.Values {
			if problem := models.ValueProblem(value); problem != "" {
				return models.Fail(models.IllegalArgument, a.Name, "A value of attribute <"+a.Name+"> can't be stored: "+problem)
			}
		}
	}
	return nil
}
