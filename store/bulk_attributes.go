package store

import "github.com/rollcall-id/rollcall/models"

// AttributesOf are the attributes that a source has of one user.
type AttributesOf struct {
	User       models.ID
	Attributes []models.Attribute
}

// ReplaceUserAttributes gives each of these users the attributes named, in place of all that a
// synchronisation gave it before. An attribute of the same name that somebody else set stays
// instead.
func (tx *Tx) ReplaceUserAttributes(users []AttributesOf) error {
	v := &batch{}
	column(v, "id", users, func(u AttributesOf) int64 { return int64(u.User) })
	_, err := tx.exec(v, "DELETE FROM user_attributes WHERE writer = ? AND user_id IN (SELECT id FROM v)", models.BySync)
	if err != nil {
		return doing("replace attributes", err)
	}
	_, err = tx.exec(valueBatch(users), `INSERT INTO user_attributes (user_id, name, position, value, value_key, writer)
		SELECT v.user_id, v.name, v.position, v.value, v.value_key, ? FROM v
		WHERE NOT EXISTS (SELECT 1 FROM user_attributes a WHERE a.user_id = v.user_id AND a.name = v.name AND a.writer <> ?)`,
		models.BySync, models.BySync)
	return doing("store attributes", err)
}

// valueBatch has a row for each value.
func valueBatch(users []AttributesOf) *batch {
	var rows []models.UserAttribute
	for _, u := range users {
		for _, a := range u.Attributes {
			for i, value := range distinct(a.Values) {
				rows = append(rows, models.UserAttribute{UserID: u.User, Name: a.Name, Position: i, Value: value})
			}
		}
	}
	v := &batch{}
	column(v, "user_id", rows, func(r models.UserAttribute) int64 { return int64(r.UserID) })
	column(v, "name", rows, func(r models.UserAttribute) string { return r.Name })
	column(v, "position", rows, func(r models.UserAttribute) int64 { return int64(r.Position) })
	column(v, "value", rows, func(r models.UserAttribute) string { return r.Value })
	column(v, "value_key", rows, func(r models.UserAttribute) string { return models.Key(r.Value) })
	return v
}
