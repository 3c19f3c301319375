package roster_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rollcall-id/rollcall/internal/testkit"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/roster"
)

func TestZZLoad(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, db testkit.Database) {
		s := db.Open(t)
		st := newStage(t, s, "staff")
		raw := db.Raw(t)
		series := "generate_series(1, %d) AS i(i)"
		if db.Kind == testkit.SQLite {
			series = "(WITH RECURSIVE i(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM i WHERE i < %d) SELECT i FROM i) AS i"
		}
		text := func(expr string) string { return expr }
		_ = text
		for _, q := range []string{
			fmt.Sprintf("INSERT INTO users (id, directory_id, name, name_key, first_name, last_name, display_name, email, external_id, active, created_at, updated_at) SELECT 1000+i, %d, 'user' || (i*7919 %% 1000003), 'user' || (i*7919 %% 1000003), 'First', 'Lastname' || i, 'First Lastname' || i, 'user' || i || '@example.com', 'aaaaaaaa-bbbb-cccc-dddd-' || (100000000000+i), true, 1780000000000+i, 1790000000000 FROM "+series, st.dir.ID, 200000),
			fmt.Sprintf("INSERT INTO groups (id, directory_id, name, name_key, external_id, active, created_at, updated_at) SELECT 1000+i, %d, 'group' || i, 'group' || i, 'aaaaaaaa-bbbb-cccc-eeee-' || (100000000000+i), true, 1780000000000+i, 1790000000000 FROM "+series, st.dir.ID, 20000),
			fmt.Sprintf("INSERT INTO memberships (group_id, user_id, directory_id) SELECT 1001 + (i*31 + i/200000*7) %% 20000, 1001 + i %% 200000, %d FROM "+series+" ON CONFLICT DO NOTHING", st.dir.ID, 1000000),
		} {
			if db.Kind == testkit.SQLite {
				q = q[:len(q)]
			}
			if _, err := raw.Exec(q); err != nil {
				t.Skip(err)
			}
		}
		if db.Kind == testkit.Postgres {
			raw.Exec("ANALYZE")
			conn, err := pgx.Connect(t.Context(), db.URL)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				at := time.Now()
				n := 0
				for _, q := range []string{
					fmt.Sprintf("SELECT id, active, created_at, updated_at, name, name_key, first_name, last_name, display_name, email, external_id FROM users WHERE directory_id = %d ORDER BY name_key", st.dir.ID),
					fmt.Sprintf("SELECT id, active, created_at, updated_at, name, name_key, description, external_id FROM groups WHERE directory_id = %d ORDER BY name_key", st.dir.ID),
					fmt.Sprintf("SELECT group_id, user_id FROM memberships WHERE directory_id = %d", st.dir.ID),
				} {
					one := time.Now()
					rows, err := conn.Query(t.Context(), q)
					if err != nil {
						t.Fatal(err)
					}
					for rows.Next() {
						n++
					}
					t.Log(time.Since(one))
				}
				t.Log("drained", n, "in", time.Since(at))
			}
			conn.Close(t.Context())
		}
		for range 3 {
			r := roster.Deaf(s, testkit.Log(t))
			at := time.Now()
			build(t, r)
			t.Log("built in", time.Since(at))
			us, err := reads(t, r).UserByID(t.Context(), models.ID(1005))
			t.Log(us.Name, err)
		}
	})
}
